package network

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"sync"

	"github.com/xssnick/tonutils-go/liteclient"
	"github.com/xssnick/tonutils-go/tl"
)

// Server is a lite server that speaks ADNL over TCP for a network.
type Server struct {
	Addr string            // host and port
	Key  ed25519.PublicKey // by which clients know it

	lite     *liteclient.Server
	listened chan error // what the listening ended with

	mu      sync.Mutex
	clients map[*liteclient.ServerClient]bool
	work    sync.WaitGroup // connections and queries
}

// Serve starts a lite server; port 0 picks a free one. Keep it to loopback:
// anybody who reaches it may send messages.
func (n *Network) Serve(addr string) (*Server, error) {
	addr, err := freePort(addr)
	if err != nil {
		return nil, fmt.Errorf("lite server: %w", err)
	}
	seed := n.derive("server")
	key := ed25519.NewKeyFromSeed(seed[:])
	s := &Server{
		Addr: addr, Key: key.Public().(ed25519.PublicKey),
		lite:     liteclient.NewServer([]ed25519.PrivateKey{key}),
		listened: make(chan error, 1),
		clients:  map[*liteclient.ServerClient]bool{},
	}
	first := make(chan struct{})
	var once sync.Once
	s.lite.SetConnectionHook(func(c *liteclient.ServerClient) error {
		once.Do(func() { close(first) })
		s.joined(c)
		return nil
	})
	s.lite.SetDisconnectHook(s.left)
	s.lite.SetQueryHandler(func(ctx context.Context, c *liteclient.ServerClient, id []byte, query tl.Serializable) {
		id = append([]byte(nil), id...) // the library uses it again
		s.work.Go(func() { c.Answer(id, n.answer(ctx, query)) })
	})
	go func() { s.listened <- s.lite.Listen(addr) }()
	if err := s.knock(first); err != nil {
		return nil, fmt.Errorf("lite server %s: %w", addr, err)
	}
	return s, nil
}

// freePort turns port 0 into one that is free: the library takes no listener.
func freePort(addr string) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// knock waits until the server takes connections.
func (s *Server) knock(first <-chan struct{}) error {
	for {
		if c, err := net.Dial("tcp", s.Addr); err == nil {
			defer c.Close()
			select {
			case <-first:
				return nil
			case err := <-s.listened:
				return err
			}
		}
		select {
		case err := <-s.listened:
			return err
		default:
		}
	}
}

func (s *Server) joined(c *liteclient.ServerClient) {
	s.work.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[c] = true
}

func (s *Server) left(c *liteclient.ServerClient) {
	s.mu.Lock()
	delete(s.clients, c)
	s.mu.Unlock()
	s.work.Done()
}

// Close stops listening, cuts the connections that live, and waits for them.
func (s *Server) Close() error {
	err := s.lite.Close()
	if e, ok := <-s.listened; ok && err == nil {
		err = e
	}
	s.mu.Lock()
	for c := range s.clients {
		c.Close()
	}
	s.mu.Unlock()
	s.work.Wait()
	return err
}

// GlobalConfig is the global.config.json by which any TON client finds these
// servers. Its init block is block 1.
func (n *Network) GlobalConfig(servers ...*Server) []byte {
	n.mu.RLock()
	first := n.masters[1].id
	n.mu.RUnlock()
	type blockID struct {
		Workchain int32  `json:"workchain"`
		Shard     int64  `json:"shard"`
		Seqno     uint32 `json:"seqno"`
		RootHash  []byte `json:"root_hash"`
		FileHash  []byte `json:"file_hash"`
	}
	type keyJSON struct {
		Type string `json:"@type"`
		Key  string `json:"key"`
	}
	type serverJSON struct {
		IP   int32   `json:"ip"`
		Port int     `json:"port"`
		ID   keyJSON `json:"id"`
	}
	var config struct {
		Type        string       `json:"@type"`
		LiteServers []serverJSON `json:"liteservers"`
		Validator   struct {
			Type      string  `json:"@type"`
			ZeroState blockID `json:"zero_state"`
			InitBlock blockID `json:"init_block"`
		} `json:"validator"`
	}
	config.Type = "config.global"
	config.LiteServers = []serverJSON{}
	for _, s := range servers {
		ip, port := s.ipv4()
		config.LiteServers = append(config.LiteServers, serverJSON{
			IP: ip, Port: port, ID: keyJSON{"pub.ed25519", base64.StdEncoding.EncodeToString(s.Key)}})
	}
	config.Validator.Type = "validator.config.global"
	config.Validator.ZeroState = blockID{masterchain, wholeShard, 0, n.zero.RootHash, n.zero.FileHash}
	config.Validator.InitBlock = blockID{first.Workchain, first.Shard, first.SeqNo, first.RootHash, first.FileHash}
	b, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("network: a configuration does not encode: %v", err))
	}
	return append(b, '\n')
}

// ipv4 is the address as the file has it: a signed number of 32 bits.
func (s *Server) ipv4() (ip int32, port int) {
	a, err := net.ResolveTCPAddr("tcp4", s.Addr)
	if err != nil || a.IP.To4() == nil {
		panic(fmt.Sprintf("network: %s is no IPv4 address, and only those can stand in a configuration", s.Addr))
	}
	return int32(binary.BigEndian.Uint32(a.IP.To4())), a.Port
}

package network

import (
	"context"
	"crypto/ed25519"
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

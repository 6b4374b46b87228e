package network

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
)

// GlobalConfig is the global.config.json by which any TON client finds these
// servers. Its init block is block 1. It panics for a server that does not
// listen on an IPv4 address, since the file can name no other.
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

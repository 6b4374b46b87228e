package ton

import (
	"crypto/ed25519"
	"fmt"

	"github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// WalletVersion names a wallet contract.
type WalletVersion string

// The wallet contracts that fragplan signs for.
const (
	V5R1 WalletVersion = "v5r1" // up to 255 transfers a message
	V4R2 WalletVersion = "v4r2" // up to 4 transfers a message
)

// ParseWalletVersion reads "v5r1" or "v4r2".
func ParseWalletVersion(s string) (WalletVersion, error) {
	switch v := WalletVersion(s); v {
	case V5R1, V4R2:
		return v, nil
	}
	return "", fmt.Errorf("unknown wallet version %q: write v5r1 or v4r2", s)
}

// MaxTransfers is how many transfers one message may hold.
func (v WalletVersion) MaxTransfers() int {
	if v == V4R2 {
		return 4
	}
	return 255
}

// Mainnet is the global id of the real network. A V5R1 wallet's address and
// signatures depend on it.
const Mainnet int32 = -239

// Wallet is everything public about a wallet: enough to derive its address and
// to encode what it signs.
type Wallet struct {
	Version   WalletVersion
	PublicKey ed25519.PublicKey
	NetworkID int32 // the network's global id; only V5R1 depends on it
}

// subwalletV4 is the subwallet number that every wallet application uses.
const subwalletV4 = 698983191

// ID is the number by which the contract tells its own messages from those of
// other wallets with the same key.
func (w Wallet) ID() uint32 { return walletID(w.Version, w.NetworkID) }

func walletID(v WalletVersion, network int32) uint32 {
	if v == V4R2 {
		return subwalletV4
	}
	// V5R1: the client context (a set bit, workchain 0, version 0, subwallet 0)
	// xor the network's global id.
	return 1<<31 ^ uint32(network)
}

// CodeHash is the hash of the contract's code on the chain.
func (v WalletVersion) CodeHash() Hash { return Hash(v.code().Hash()) }

// StateInit is the code and data with which the wallet is deployed by its
// first message.
func (w Wallet) StateInit() *tlb.StateInit {
	data := cell.BeginCell()
	if w.Version == V5R1 {
		data.MustStoreBoolBit(true) // signatures are allowed
	}
	data.MustStoreUInt(0, 32). // seqno
					MustStoreUInt(uint64(w.ID()), 32).
					MustStoreSlice(w.PublicKey, 256).
					MustStoreBoolBit(false) // no plugins, no extensions
	return &tlb.StateInit{Code: w.Version.code(), Data: data.EndCell()}
}

// Address is the account that the wallet's code and key determine.
func (w Wallet) Address() Address {
	c, err := tlb.ToCell(w.StateInit())
	if err != nil {
		panic(fmt.Sprintf("ton: the state of a %s wallet does not serialize: %v", w.Version, err))
	}
	return Address{0, [32]byte(c.Hash())}
}

// WalletData is what fragplan reads of a deployed wallet's storage.
type WalletData struct {
	Seqno     uint32
	ID        uint32
	PublicKey ed25519.PublicKey
	Plain     bool // signatures allowed, and neither plugins nor extensions
}

// ParseWalletData reads the storage of a wallet of version v.
func ParseWalletData(v WalletVersion, data *cell.Cell) (WalletData, error) {
	s, err := data.BeginParse()
	if err != nil {
		return WalletData{}, err
	}
	signatures := true
	if v == V5R1 {
		if signatures, err = s.LoadBoolBit(); err != nil {
			return WalletData{}, fmt.Errorf("%s wallet data: %w", v, err)
		}
	}
	fixed, err := s.LoadSlice(32 + 32 + 256 + 1)
	if err != nil {
		return WalletData{}, fmt.Errorf("%s wallet data: %w", v, err)
	}
	return WalletData{
		Seqno:     be32(fixed[0:4]),
		ID:        be32(fixed[4:8]),
		PublicKey: ed25519.PublicKey(fixed[8:40]),
		Plain:     signatures && fixed[40]&0x80 == 0,
	}, nil
}

func be32(b []byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

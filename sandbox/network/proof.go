package network

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// A proof is made by reading, on a root that watches, what the client will
// read: what was touched is in the proof and all else is pruned.
func prove(root *cell.Cell, read func(watched *cell.Cell) error) (*cell.Cell, error) {
	b := cell.NewMerkleProofBuilder(root)
	if err := read(b.Root()); err != nil {
		return nil, fmt.Errorf("proof: %w", err)
	}
	return b.CreateProof()
}

// touchAll reads everything below c.
func touchAll(c *cell.Cell) error {
	s, err := c.BeginParse()
	if err != nil {
		return err
	}
	return touchRefs(s)
}

func touchRefs(s *cell.Slice) error {
	for s.RefsNum() > 0 {
		c, err := s.LoadRefCell()
		if err != nil {
			return err
		}
		if err := touchAll(c); err != nil {
			return err
		}
	}
	return nil
}

// skip passes over bits, and then over references.
func skip(s *cell.Slice, bits uint, refs int) error {
	if _, err := s.LoadSlice(bits); err != nil {
		return err
	}
	for range refs {
		if _, err := s.LoadRefCell(); err != nil {
			return err
		}
	}
	return nil
}

// readHeader reads a block's header and the hash of its state, and returns its
// extra cell unread.
func readHeader(root *cell.Cell) (extra *cell.Cell, err error) {
	s, err := root.BeginParse()
	if err != nil {
		return nil, err
	}
	var refs [4]*cell.Cell // header, value flow, state update, extra
	for i := range refs {
		if refs[i], err = s.LoadRefCell(); err != nil {
			return nil, err
		}
	}
	if _, err := refs[0].BeginParse(); err != nil {
		return nil, err
	}
	if _, err := refs[2].BeginParse(); err != nil {
		return nil, err
	}
	return refs[3], nil
}

func (b *block) proveHeader() (*cell.Cell, error) {
	return prove(b.root, func(root *cell.Cell) error {
		_, err := readHeader(root)
		return err
	})
}

// readMasterExtra goes to the McBlockExtra of a masterchain block and reads
// its list of shards if told to.
func readMasterExtra(root *cell.Cell, shards bool) (*cell.Slice, error) {
	c, err := readHeader(root)
	if err != nil {
		return nil, err
	}
	s, err := c.BeginParse()
	if err != nil {
		return nil, err
	}
	if err := skip(s, 32+512+1, 3); err != nil {
		return nil, err
	}
	if s, err = s.LoadRef(); err != nil {
		return nil, err
	}
	if err := skip(s, 16+1, 0); err != nil {
		return nil, err
	}
	list, err := s.LoadMaybeRef()
	if err != nil {
		return nil, err
	}
	if shards && list != nil {
		return s, touchRefs(list)
	}
	return s, nil
}

func (b *block) proveShards() (*cell.Cell, error) {
	return prove(b.root, func(root *cell.Cell) error {
		_, err := readMasterExtra(root, true)
		return err
	})
}

// proveParams proves parameters out of a key block.
func (b *block) proveParams(params ...int64) (*cell.Cell, error) {
	return prove(b.root, func(root *cell.Cell) error {
		s, err := readMasterExtra(root, false)
		if err != nil {
			return err
		}
		if err := skip(s, 1+5+5, 0); err != nil { // fees of shards
			return err
		}
		if _, err := s.LoadRef(); err != nil {
			return err
		}
		if err := skip(s, 256, 0); err != nil { // the configuration's contract
			return err
		}
		dict, err := s.LoadRefCell()
		if err != nil {
			return err
		}
		return touchParams(dict, params)
	})
}

// touchParams reads parameters; one that isn't there is proven to be absent.
func touchParams(dict *cell.Cell, params []int64) error {
	d := dict.AsDict(32)
	for _, p := range params {
		v, err := d.LoadValueByIntKey(big.NewInt(p))
		if errors.Is(err, cell.ErrNoSuchKeyInDict) {
			continue
		}
		if err != nil {
			return fmt.Errorf("parameter %d: %w", p, err)
		}
		if err := touchRefs(v); err != nil {
			return fmt.Errorf("parameter %d: %w", p, err)
		}
	}
	return nil
}

// parts are what to prove of a masterchain state.
type parts struct {
	shards    bool
	allParams bool
	params    []int64
	ancestors []uint32 // earlier masterchain blocks
}

func (b *block) proveState(want parts) (*cell.Cell, error) {
	return prove(b.state, func(root *cell.Cell) error {
		s, err := root.BeginParse()
		if err != nil {
			return err
		}
		if err := skip(s, 0, 3); err != nil { // queues, accounts, totals
			return err
		}
		if s, err = s.LoadRef(); err != nil {
			return err
		}
		if err := skip(s, 16, 0); err != nil {
			return err
		}
		list, err := s.LoadMaybeRef()
		if err != nil {
			return err
		}
		if want.shards && list != nil {
			if err := touchRefs(list); err != nil {
				return err
			}
		}
		if err := skip(s, 256, 0); err != nil {
			return err
		}
		params, err := s.LoadRefCell()
		if err != nil {
			return err
		}
		if want.allParams {
			err = touchAll(params)
		} else if len(want.params) > 0 {
			err = touchParams(params, want.params)
		}
		if err != nil || len(want.ancestors) == 0 {
			return err
		}
		return touchAncestors(s, want.ancestors)
	})
}

func touchAncestors(s *cell.Slice, seqnos []uint32) error {
	info, err := s.LoadRef()
	if err != nil {
		return err
	}
	if err := skip(info, 16+32+32+1, 0); err != nil {
		return err
	}
	d, err := info.LoadAugDict(32, ancestry{}, true)
	if err != nil {
		return err
	}
	for _, seqno := range seqnos {
		if _, err := d.LoadValueByIntKey(big.NewInt(int64(seqno))); err != nil {
			return fmt.Errorf("earlier block %d: %w", seqno, err)
		}
	}
	return nil
}

// proveAccount proves what an account is after a shard block; nil for one that
// does not exist, and then the proof is of its absence.
func (b *block) proveAccount(id accountID) (proof *cell.Cell, found *tlb.ShardAccount, err error) {
	proof, err = prove(b.state, func(root *cell.Cell) error {
		s, err := root.BeginParse()
		if err != nil {
			return err
		}
		if err := skip(s, 0, 1); err != nil { // queues
			return err
		}
		accounts, err := s.LoadRef()
		if err != nil {
			return err
		}
		d, err := accounts.LoadAugDict(256, tlb.AugShardAccounts{}, true)
		if err != nil {
			return err
		}
		v, err := d.LoadValue(id.key())
		if errors.Is(err, cell.ErrNoSuchKeyInDict) {
			return nil
		}
		if err != nil {
			return err
		}
		var a tlb.ShardAccount
		if err := tlb.LoadFromCell(&a, v); err != nil {
			return err
		}
		a.Account = a.Account.WithoutTrace()
		found = &a
		return nil
	})
	return proof, found, err
}

// place names a transaction.
type place struct {
	account accountID
	lt      uint64
}

func (b *block) proveTransactions(places ...place) (*cell.Cell, error) {
	return prove(b.root, func(root *cell.Cell) error {
		c, err := readHeader(root)
		if err != nil {
			return err
		}
		s, err := c.BeginParse()
		if err != nil {
			return err
		}
		if err := skip(s, 0, 2); err != nil { // descriptions of messages
			return err
		}
		accounts, err := s.LoadRef()
		if err != nil {
			return err
		}
		d, err := accounts.LoadAugDict(256, tlb.AugShardAccountBlocks{}, true)
		if err != nil {
			return err
		}
		for _, p := range places {
			v, err := d.LoadValue(p.account.key())
			if err != nil {
				return err
			}
			var a tlb.AccountBlock
			if err := tlb.LoadFromCellAsProof(&a, v); err != nil {
				return err
			}
			if _, err := a.Transactions.LoadValue(ltKey(p.lt)); err != nil {
				return err
			}
		}
		return nil
	})
}

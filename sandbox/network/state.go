package network

import (
	"math/big"

	"github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// noCoins is an empty CurrencyCollection.
func noCoins() *cell.Builder { return cell.BeginCell().MustStoreUInt(0, 5) }

func coins(v *big.Int) *cell.Builder {
	return cell.BeginCell().MustStoreBigCoins(v).MustStoreBoolBit(false)
}

// total is what all accounts have together.
func (n *Network) total() *big.Int {
	s := n.dict.GetRootExtra().MustBeginParse()
	s.MustLoadUInt(5) // depth of the split
	return s.MustLoadBigCoins()
}

// state builds a ShardStateUnsplit: of the base workchain with accounts, or of
// the masterchain with custom.
func (n *Network) state(workchain int32, seqno, time uint32, lt uint64, accounts *cell.Cell, total *big.Int, custom *cell.Cell) *cell.Cell {
	queues := cell.BeginCell().
		MustStoreBoolBit(false).MustStoreUInt(0, 64). // nothing is left in the out queue
		MustStoreBoolBit(false).                      // nothing processed up to
		MustStoreBoolBit(false).                      // no extra
		EndCell()
	totals := cell.BeginCell().
		MustStoreUInt(0, 64).MustStoreUInt(0, 64). // load history
		MustStoreBuilder(coins(total)).
		MustStoreBuilder(noCoins()). // validator fees
		MustStoreBoolBit(false).     // libraries
		MustStoreBoolBit(false).     // master reference
		EndCell()
	return cell.BeginCell().
		MustStoreUInt(0x9023afe2, 32).
		MustStoreInt(int64(n.globalID), 32).
		MustStoreUInt(0, 2).MustStoreUInt(0, 6).MustStoreInt(int64(workchain), 32).MustStoreUInt(0, 64). // the whole workchain
		MustStoreUInt(uint64(seqno), 32).
		MustStoreUInt(0, 32). // vertical seqno
		MustStoreUInt(uint64(time), 32).
		MustStoreUInt(lt, 64).
		MustStoreUInt(uint64(seqno), 32).
		MustStoreRef(queues).
		MustStoreBoolBit(false). // not before a split
		MustStoreRef(accounts).
		MustStoreRef(totals).
		MustStoreMaybeRef(custom).
		EndCell()
}

// noAccounts is an empty ShardAccounts.
func noAccounts() (*cell.Cell, error) {
	d, err := cell.NewAugDict(256, tlb.AugShardAccounts{})
	if err != nil {
		return nil, err
	}
	return d.ToCell()
}

// globalBalance is of mainnet's size, because readers of McStateExtra in the
// wild misread amounts below 2⁵⁶ nanoTON.
var globalBalance = new(big.Int).SetUint64(5_100_000_000_000_000_000)

// masterExtra builds the McStateExtra: the shards, the configuration and the
// list of all earlier masterchain blocks.
func (n *Network) masterExtra(shards *cell.Dictionary, afterKey bool) (*cell.Cell, error) {
	earlier, err := n.ancestry.ToCell()
	if err != nil {
		return nil, err
	}
	info := cell.BeginCell().
		MustStoreUInt(0, 16). // flags
		MustStoreUInt(uint64(n.validator.setHash()), 32).MustStoreUInt(catchain, 32).MustStoreBoolBit(false).
		MustStoreBuilder(earlier.ToBuilder()).
		MustStoreBoolBit(afterKey)
	key := n.keyBlock()
	info.MustStoreBoolBit(key != nil)
	if key != nil {
		ref, err := tlb.ToCell(key.ref())
		if err != nil {
			return nil, err
		}
		info.MustStoreBuilder(ref.ToBuilder())
	}
	return cell.BeginCell().MustStoreUInt(0xcc26, 16).
		MustStoreDict(shards).
		MustStoreBuilder(n.configParams()).
		MustStoreRef(info.EndCell()).
		MustStoreBuilder(coins(globalBalance)).
		EndCell(), nil
}

// configParams are the address of the configuration's contract, which does not
// exist here, and the configuration.
func (n *Network) configParams() *cell.Builder {
	return cell.BeginCell().MustStoreSlice(make([]byte, 32), 256).MustStoreRef(n.params)
}

// ancestry is how OldMcBlocksInfo sums up: whether there is a key block, and
// the highest logical time. The library can only read that dictionary.
type ancestry struct{}

func (ancestry) SkipExtra(s *cell.Slice) error {
	_, err := s.LoadSlice(1 + 64)
	return err
}

func (ancestry) EmptyExtra() (*cell.Cell, error) { return ancestor(false, 0), nil }

// LeafExtra reads the same two fields off the entry.
func (ancestry) LeafExtra(v *cell.Slice) (*cell.Cell, error) {
	key, lt, err := readAncestor(v.Copy())
	if err != nil {
		return nil, err
	}
	return ancestor(key, lt), nil
}

func (ancestry) CombineExtra(l, r *cell.Slice) (*cell.Cell, error) {
	lk, ll, err := readAncestor(l)
	if err != nil {
		return nil, err
	}
	rk, rl, err := readAncestor(r)
	if err != nil {
		return nil, err
	}
	return ancestor(lk || rk, max(ll, rl)), nil
}

func ancestor(key bool, lt uint64) *cell.Cell {
	return cell.BeginCell().MustStoreBoolBit(key).MustStoreUInt(lt, 64).EndCell()
}

func readAncestor(s *cell.Slice) (key bool, lt uint64, err error) {
	if key, err = s.LoadBoolBit(); err != nil {
		return false, 0, err
	}
	lt, err = s.LoadUInt(64)
	return key, lt, err
}

package network

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// The file of inputs has one line an input, in the order in which the network
// took them:
//
//	network 1 <global id> <Unix time> <hash of block 1>
//	external <first shard block that may hold it> <base64 of the message>
//	fund <Unix time> <address> <nanoTON>
//	mint <Unix time> <address> <smallest units of USDT>
//	block <Unix time> <hash of the masterchain block>
//
// Blocks are not kept: they follow from the inputs, and the hashes show that
// they do. A line is written before anybody can see what it says.

// ErrOtherLog is returned, wrapped, by Open for a file that another seed,
// another network id or another program's rules made.
var ErrOtherLog = errors.New("the file does not lead to the blocks it names")

type inputLog struct{ f *os.File }

// Open makes a network whose inputs are kept in the file at path. If the file
// exists, its inputs are replayed first, to the same blocks; a last line that
// was not written to its end is dropped. Time goes on from the newest block or
// the clock, whichever is later. The caller sees to it that no other process
// has the file open.
func Open(path string, o Options) (*Network, error) {
	n, err := prepare(o)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("network file: %w", err)
	}
	if err := n.load(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("network file %s: %w", path, err)
	}
	return n, nil
}

// Close ends the keeping of inputs; the network takes none after it. It closes
// no Server.
func (n *Network) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.log == nil {
		return nil
	}
	if n.broken == nil {
		n.broken = errors.New("the network is closed")
	}
	f := n.log.f
	n.log = nil
	return f.Close()
}

func (n *Network) load(f *os.File) error {
	n.replay = true
	r := bufio.NewReader(f)
	var whole int64 // bytes of complete lines
	for number := 1; ; number++ {
		line, err := r.ReadString('\n')
		if err == io.EOF {
			break // what there is without a line end was torn
		}
		if err != nil {
			return err
		}
		if err := n.replayLine(number == 1, strings.Fields(line)); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		whole += int64(len(line))
	}
	if err := f.Truncate(whole); err != nil {
		return err
	}
	if _, err := f.Seek(whole, io.SeekStart); err != nil {
		return err
	}
	n.replay = false
	n.log = &inputLog{f}
	if n.masters == nil {
		if err := n.begin(uint32(n.now().Unix())); err != nil {
			return err
		}
		m := n.lastMaster()
		return n.keep(fmt.Sprintf("network 1 %d %d %x", n.globalID, m.time, m.id.RootHash))
	}
	if behind := int64(n.lastShard().time) - n.now().Unix(); behind > 0 {
		n.shift = time.Duration(behind) * time.Second
	}
	return nil
}

var errLine = errors.New("it is no input")

func (n *Network) replayLine(first bool, f []string) error {
	if len(f) == 0 || first != (f[0] == "network") {
		return errLine
	}
	switch {
	case f[0] == "network" && len(f) == 5:
		return n.replayBegin(f[1], f[2], f[3], f[4])
	case f[0] == "external" && len(f) == 3:
		return n.replayExternal(f[1], f[2])
	case f[0] == "fund" && len(f) == 4:
		return n.replayFund(f[1], f[2], f[3])
	case f[0] == "mint" && len(f) == 4:
		return n.replayMint(f[1], f[2], f[3])
	case f[0] == "block" && len(f) == 3:
		at, err := strconv.ParseUint(f[1], 10, 32)
		if err != nil {
			return errLine
		}
		b, err := n.produce(uint32(at))
		if err != nil {
			return err
		}
		return check(b, f[2])
	}
	return errLine
}

func check(b Block, hash string) error {
	if b.RootHash.String() != hash {
		return fmt.Errorf("block %d: %w", b.Seqno, ErrOtherLog)
	}
	return nil
}

func (n *Network) replayBegin(format, id, at, hash string) error {
	if format != "1" {
		return fmt.Errorf("its format %q is not known here", format)
	}
	second, err := strconv.ParseUint(at, 10, 32)
	if err != nil {
		return errLine
	}
	if id != strconv.Itoa(int(n.globalID)) {
		return fmt.Errorf("network %s, not %d: %w", id, n.globalID, ErrOtherLog)
	}
	if err := n.begin(uint32(second)); err != nil {
		return err
	}
	return check(n.lastMaster().summary(), hash)
}

func (n *Network) replayExternal(from, message string) error {
	seqno, err := strconv.ParseUint(from, 10, 32)
	if err != nil {
		return errLine
	}
	boc, err := base64.StdEncoding.DecodeString(message)
	if err != nil {
		return errLine
	}
	e, err := parseExternal(boc)
	if err != nil {
		return err
	}
	e.from = uint32(seqno)
	n.enter(e)
	return nil
}

func whenAndWho(at, to string) (second uint32, who ton.Address, err error) {
	s, err := strconv.ParseUint(at, 10, 32)
	if err != nil {
		return 0, who, errLine
	}
	who, _, err = ton.ParseAddress(to)
	return uint32(s), who, err
}

func (n *Network) replayFund(at, to, amount string) error {
	second, address, err := whenAndWho(at, to)
	if err != nil {
		return err
	}
	nano, err := ton.ParseNanoInteger(amount)
	if err != nil {
		return err
	}
	return n.fund(address, nano, second)
}

func (n *Network) replayMint(at, to, units string) error {
	second, address, err := whenAndWho(at, to)
	if err != nil {
		return err
	}
	u, err := strconv.ParseInt(units, 10, 64)
	if err != nil || u <= 0 {
		return errLine
	}
	return n.mint(address, u, second)
}

func externalInput(from uint32, message *cell.Cell) string {
	return fmt.Sprintf("external %d %s", from, ton.BoCOf(message).Base64())
}

func fundInput(at uint32, to ton.Address, amount ton.Nano) string {
	return fmt.Sprintf("fund %d %s %d", at, to.Raw(), int64(amount))
}

func blockInput(b *block) string { return fmt.Sprintf("block %d %x", b.time, b.id.RootHash) }

// keep appends a line to the file, if there is one. A line that may be there
// only in part ends the network: nothing may follow it.
func (n *Network) keep(line string) error {
	if n.log == nil || n.replay {
		return nil
	}
	if _, err := n.log.f.WriteString(line + "\n"); err != nil {
		n.broken = fmt.Errorf("the network has stopped: its file: %w", err)
		return n.broken
	}
	return nil
}

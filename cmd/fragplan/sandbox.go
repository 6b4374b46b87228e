package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/report"
	"github.com/fragplan/fragplan/sandbox"
	"github.com/fragplan/fragplan/ton"
)

func (p *program) sandboxCommand() *cobra.Command {
	record, listen, version, balance := "", "127.0.0.1:0", "v5r1", "1000 TON"
	c := &cobra.Command{
		Use: "sandbox", Short: "Serve a world on this machine: Fragment's API and a TON network", Args: cobra.NoArgs,
		Long: sandboxHelp,
		RunE: func(c *cobra.Command, _ []string) error {
			v, err := ton.ParseWalletVersion(version)
			if err != nil {
				return err
			}
			o := sandbox.Options{Dir: p.worldDir(), Listen: listen}
			if record != "" {
				o.Record = p.path(record)
				if err := p.recordTarget(o.Record); err != nil {
					return err
				}
			}
			if c.Flags().Changed("wallet") || !sandbox.Exists(o.Dir) {
				o.Version = v
			}
			if err := give(&o, balance, c.Flags().Changed("balance")); err != nil {
				return err
			}
			return p.serve(c.Context(), o)
		},
	}
	f := c.Flags()
	f.Var(word{&record, "FILE"}, "record", "append every executed transaction to this file, as JSON lines (see above)")
	f.Var(word{&listen, "ADDRESS"}, "listen", "where Fragment's API is, on this machine")
	f.Var(word{&version, "v5r1|v4r2"}, "wallet", "version of the funded wallet; it counts when the world is made")
	f.Var(word{&balance, "AMOUNT"}, "balance", "what the wallet is given when the world is made")
	c.AddCommand(p.sandboxBooks(), p.sandboxPay(), p.sandboxSet())
	return c
}

const sandboxHelp = `Serves a world on this machine until it is interrupted: Fragment's HTTP API and
a TON network, with a funded wallet and a session. Nothing in it is real, and it
listens on this machine only. It is kept in .fragplan/sandbox, with these files
for other programs:

  global.config.json   the TON network, as every TON client reads it
  mnemonic.txt         the words of the wallet
  cookie.txt           the Cookie header of the session

The wallet is given TON, and USDT where that is asked for: -balance '5 TON, 30 USDT'.
A rehearsal of a project that pays with USDT gives it 1,000 USDT.

Every well-formed user name is a user who can be given anything, except:

  nobody_...           is unknown
  ..._channel          is a channel: top-ups only
  ...bot               is a bot: nothing
  no_gifts_...         can't receive Stars or Premium
  has_premium_...      has Premium already
  hostile_...          has a display name that would harm a terminal

With -record each executed transaction is one line of JSON: before, message,
config, time, block_lt, lt and rand_seed are what went into it, after,
transaction and transaction_hash what came of it. Cells are bags of cells;
bytes are base64, 64-bit numbers are strings. If the file can't be written, the
world stops.`

func setHelp() string {
	var b strings.Builder
	b.WriteString("Changes the world, whether it is being served or not. It keeps all settings but\nblocks. *N behind the value of those with a star has it act N times:\n\n  fragplan sandbox set 'api=502*2' fund=100\n")
	for _, s := range sandbox.Settings() {
		star := ""
		if s.Times {
			star = "*"
		}
		fmt.Fprintf(&b, "\n  %s%s = %s\n      %s\n", s.Key, star, s.Values, s.Effect)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// give sets what a new world's wallet begins with. It can't be taken from one
// that exists.
func give(o *sandbox.Options, balance string, asked bool) error {
	if asked && sandbox.Exists(o.Dir) {
		return fmt.Errorf("-balance is for a new world, and there is one in %s: remove that folder to begin anew, or give its wallet more with: fragplan sandbox set fund=2.5", o.Dir)
	}
	seen := map[ton.Asset]bool{}
	o.Empty = true
	for text := range strings.SplitSeq(balance, ",") {
		amount, err := ton.ParseAmount(strings.TrimSpace(text))
		switch {
		case err != nil:
			return fmt.Errorf("-balance: %w", err)
		case seen[amount.Asset]:
			return fmt.Errorf("-balance %s: %s stands twice", balance, amount.Asset)
		case amount.Asset == ton.AssetTON:
			o.Balance, o.Empty = ton.Nano(amount.Units), amount.Units == 0
		default:
			o.USDT = amount.Units
		}
		seen[amount.Asset] = true
	}
	return nil
}

// serve runs a world until it is interrupted. One that another process runs
// can't be served again.
func (p *program) serve(ctx context.Context, o sandbox.Options) (err error) {
	w, err := sandbox.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if w.Attached() {
		return fmt.Errorf("sandbox %s: %w", o.Dir, sandbox.ErrAttached)
	}
	if o.Version != "" && o.Version != w.Version {
		return fmt.Errorf("the world in %s has a %s wallet: remove that folder to begin one with %s", o.Dir, w.Version, o.Version)
	}
	files := map[string][]byte{
		"global.config.json": w.GlobalConfig,
		"mnemonic.txt":       []byte(strings.Join(w.Mnemonic, " ") + "\n"),
		"cookie.txt":         []byte(w.Cookie + "\n"),
	}
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(o.Dir, name), body, 0o600); err != nil {
			return err
		}
	}
	fmt.Fprintf(p.stdout, "Fragment's API  %s\nTON network     %s\nWallet          %s (%s)\nWords, session  %s, %s\n",
		w.FragmentURL, filepath.Join(o.Dir, "global.config.json"), w.Wallet, w.Version, filepath.Join(o.Dir, "mnemonic.txt"), filepath.Join(o.Dir, "cookie.txt"))
	select {
	case <-ctx.Done():
	case <-p.interrupt:
	case err := <-w.Failed():
		return err
	}
	return nil
}

func (p *program) sandboxBooks() *cobra.Command {
	return &cobra.Command{
		Use: "books", Short: "Print what the world itself says was given", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !sandbox.Exists(p.worldDir()) {
				return fmt.Errorf("there is no world yet in %s: fragplan -sandbox plan makes one", p.worldDir())
			}
			w, err := sandbox.Open(c.Context(), sandbox.Options{Dir: p.worldDir()})
			if err != nil {
				return err
			}
			defer w.Close()
			books, err := w.Books(c.Context())
			if err != nil {
				return err
			}
			for _, credit := range books.Credits {
				item := product.Item{Kind: product.Kind(credit.Product), Quantity: credit.Quantity}
				fmt.Fprintf(p.stdout, "@%-20s  %-16s  %16s  Ref#%s\n", report.Clean(credit.Handle, 32), item, booked(credit.Paid, credit.USDT), report.Clean(credit.Ref, 32))
			}
			for _, stray := range books.Strays {
				fmt.Fprintf(p.stdout, "stray: %s, %s, Ref#%s\n", booked(stray.Amount, stray.USDT), stray.Reason, report.Clean(stray.Ref, 32))
			}
			holds := books.Balance.Amount().String()
			if books.USDT > 0 {
				holds += " and " + ton.Amount{Asset: ton.AssetUSDT, Units: books.USDT}.String()
			}
			fmt.Fprintf(p.stdout, "%s. The wallet holds %s.\n", report.Count(len(books.Credits), "credit"), holds)
			return nil
		},
	}
}

// booked is what a line of the books was paid with.
func booked(nano ton.Nano, usdt int64) ton.Amount {
	if usdt > 0 {
		return ton.Amount{Asset: ton.AssetUSDT, Units: usdt}
	}
	return nano.Amount()
}

func (p *program) sandboxSet() *cobra.Command {
	return &cobra.Command{
		Use: "set KEY=VALUE...", Short: "Change the world: prices, faults, time, funds", Args: cobra.MinimumNArgs(1),
		Long: setHelp(),
		RunE: func(c *cobra.Command, args []string) error {
			w, err := sandbox.Open(c.Context(), sandbox.Options{Dir: p.worldDir()})
			if err != nil {
				return err
			}
			defer w.Close()
			for _, a := range args {
				key, value, ok := strings.Cut(a, "=")
				switch {
				case !ok:
					return fmt.Errorf("%q is no KEY=VALUE", a)
				case key == "blocks" && !w.Attached():
					return fmt.Errorf("%s has no effect: it is forgotten when the world ends, and no other fragplan runs it now. Run fragplan sandbox in another terminal", a)
				}
				if err := w.Set(c.Context(), key, value); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

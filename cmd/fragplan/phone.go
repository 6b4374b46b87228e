package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/fragplan/fragplan/chain"
	"github.com/fragplan/fragplan/sandbox"
	"github.com/fragplan/fragplan/ton"
	"github.com/fragplan/fragplan/wallet"
)

func (p *program) sandboxPay() *cobra.Command {
	return &cobra.Command{
		Use: "pay FILE", Short: "Pay a request of apply -unsigned, as a phone would", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := os.ReadFile(p.path(args[0]))
			if err != nil {
				return err
			}
			var r connectRequest
			if err := json.Unmarshal(b, &r); err != nil {
				return fmt.Errorf("%s is no transaction request: %w", args[0], err)
			}
			transfers, err := r.transfers()
			if err != nil {
				return fmt.Errorf("%s is no transaction request: %w", args[0], err)
			}
			w, err := sandbox.Open(c.Context(), sandbox.Options{Dir: p.worldDir()})
			if err != nil {
				return err
			}
			defer w.Close()
			if r.Network != strconv.Itoa(int(w.NetworkID)) || r.From != w.Wallet.Raw() {
				return fmt.Errorf("%s is not for this world: it asks %s on network %s", args[0], r.From, r.Network)
			}
			hash, err := pay(c.Context(), w, r.ValidUntil, transfers...)
			if err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "Paid in transaction %s.\n", hash)
			return nil
		},
	}
}

// pay signs one message with the world's wallet and waits until it is executed.
// Like every wallet it signs nothing that is to be signed no more.
func pay(ctx context.Context, w *sandbox.World, validUntil uint32, transfers ...ton.Transfer) (ton.Hash, error) {
	client, err := chain.Dial(ctx, w.GlobalConfig, chain.Options{})
	if err != nil {
		return ton.Hash{}, err
	}
	defer client.Close()
	key, err := wallet.KeyFromMnemonic(worldMnemonic(w))
	if err != nil {
		return ton.Hash{}, err
	}
	signer, err := wallet.New(w.Version, key, w.NetworkID)
	if err != nil {
		return ton.Hash{}, err
	}
	before, err := client.Account(ctx, w.Wallet, w.Version)
	if err != nil {
		return ton.Hash{}, err
	}
	if before.BlockTime >= validUntil {
		return ton.Hash{}, fmt.Errorf("the request is %d seconds too old: a wallet application signs it no more", before.BlockTime-validUntil)
	}
	message, err := signer.Sign(ton.Payload{
		Wallet: w.Version, WalletID: signer.Public().ID(), Seqno: before.Data.Seqno, ValidUntil: min(validUntil, before.Time+600), Transfers: transfers,
	}, !before.Active)
	if err != nil {
		return ton.Hash{}, err
	}
	if err := client.Broadcast(ctx, message); err != nil {
		return ton.Hash{}, err
	}
	after := before
	for after.Data.Seqno == before.Data.Seqno {
		if err := client.WaitBlock(ctx, after.Block); err != nil {
			return ton.Hash{}, err
		}
		if after, err = client.Account(ctx, w.Wallet, w.Version); err != nil {
			return ton.Hash{}, err
		}
		if ctx.Err() != nil {
			return ton.Hash{}, fmt.Errorf("the payment was not executed: %w", ctx.Err())
		}
	}
	return after.Last.Hash, nil
}

package chain

import (
	"context"
	"errors"
	"fmt"

	"github.com/fragplan/fragplan/ton"
	"github.com/xssnick/tonutils-go/tl"
	liteton "github.com/xssnick/tonutils-go/ton"
)

// Broadcast gives a signed message to up to three servers. Neither outcome
// says what becomes of it: after nil it may be dropped, and after an error it
// may be on its way. Only the wallet's history tells.
func (c *Client) Broadcast(ctx context.Context, boc ton.BoC) error {
	asked := c.pool.StickyContext(ctx)
	var errs []error
	taken := false
	for range maxServers {
		if err := c.send(asked, boc); err != nil {
			errs = append(errs, err)
		} else {
			taken = true
		}
		var none error
		if asked, none = c.pool.StickyContextNextNode(asked); none != nil {
			break
		}
	}
	if taken {
		return nil
	}
	return fmt.Errorf("broadcast: what becomes of the message is unknown: %w", errors.Join(errs...))
}

func (c *Client) send(ctx context.Context, boc ton.BoC) error {
	return guarded(ctx, func(ctx context.Context) error {
		var answer tl.Serializable
		// The bytes go as they are; the library's own call would encode them anew.
		if err := c.api.Client().QueryLiteserver(ctx, liteton.SendMessage{Body: boc}, &answer); err != nil {
			return err
		}
		s, err := as[liteton.SendMessageStatus](answer)
		if err != nil {
			return err
		}
		if s.Status != 1 {
			return fmt.Errorf("a lite server answered with status %d", s.Status)
		}
		return nil
	})
}

package fragment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/fragplan/fragplan/ton"
)

// confirmation reads how a payment is to be reported. Answers without it get
// the way that every recorded answer named.
func confirmation(method string, raw json.RawMessage, id string) (string, map[string]string, error) {
	if method == "" {
		return "confirmReq", map[string]string{"id": id}, nil
	}
	var fields map[string]loose
	if err := json.Unmarshal(raw, &fields); err != nil {
		return "", nil, errors.New("no confirm_params in it")
	}
	params := make(map[string]string, len(fields))
	for k, v := range fields {
		params[k] = string(v)
	}
	return method, params, checkConfirmation(method, params)
}

// Names that the parameters of a confirmation may not take, because the call
// sets them itself.
var reserved = map[string]bool{"method": true, "hash": true, "boc": true, "account": true, "device": true}

func checkConfirmation(method string, params map[string]string) error {
	if !identifier.MatchString(method) {
		return errors.New("confirm_method is no name of a method")
	}
	if len(params) > 16 {
		return errors.New("confirm_params are too many")
	}
	for k, v := range params {
		if !identifier.MatchString(k) || reserved[k] || len(v) > 1024 || v != strings.ToValidUTF8(v, "") || strings.Contains(v, "\x00") {
			return errors.New("confirm_params hold what may not be sent")
		}
	}
	return nil
}

// Confirm tells Fragment that a purchase was paid. Of p it reads only Product,
// ConfirmMethod and ConfirmParams; boc is the signed external message that was
// broadcast. It is sent once: without a clear answer the caller may call it
// again, as often as it takes. ErrOrderNotFound means that Fragment knows no
// such order, or no longer.
func (c *Client) Confirm(ctx context.Context, p Purchase, boc ton.BoC) error {
	e, ok := catalogue[p.Product]
	if !ok {
		return fmt.Errorf("fragment: %w: product %q", ErrPurchase, p.Product)
	}
	if err := checkConfirmation(p.ConfirmMethod, p.ConfirmParams); err != nil {
		return fmt.Errorf("fragment: %w: %w", ErrPurchase, err)
	}
	form := c.walletForm()
	for k, v := range p.ConfirmParams {
		form.Set(k, v)
	}
	form.Set("boc", boc.Base64())
	var answer struct {
		OK loose `json:"ok"`
	}
	r := request{page: e.page, method: p.ConfirmMethod, form: form, class: classConfirm}
	if err := c.call(ctx, r, &answer); err != nil {
		return err
	}
	if !answer.OK.bool() {
		return badAnswer(p.ConfirmMethod, "neither ok nor an error in it")
	}
	return nil
}

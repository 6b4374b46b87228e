package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fragplan/fragplan/sandbox/market"
	"github.com/fragplan/fragplan/ton"
)

// doors are Fragment's paths and, under /sandbox/, what the process that does
// not run the world asks of the one that does.
func (w *World) doors() http.Handler {
	mux := http.NewServeMux()
	own := w.own // what Close takes from w
	market, network := own.market, own.network
	mux.Handle("/", market.Handler())
	mux.HandleFunc("GET /sandbox/run", func(out http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(out, own.run) })
	mux.HandleFunc("GET /sandbox/books", func(out http.ResponseWriter, _ *http.Request) {
		if err := market.Poll(); err != nil {
			http.Error(out, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(out).Encode(Books{market.Books(), market.Strays(), network.Balance(w.Wallet), network.JettonBalance(w.Wallet), network.Balance(w.USDTMaster) > 0})
	})
	mux.HandleFunc("POST /sandbox/set", func(out http.ResponseWriter, r *http.Request) {
		if err := own.set(w.Wallet, r.FormValue("key"), r.FormValue("value")); err != nil {
			http.Error(out, err.Error(), http.StatusBadRequest)
		}
	})
	return mux
}

// Books are what the world itself says happened, for comparing with a ledger.
type Books struct {
	Credits []market.Credit `json:"credits"` // what people were given
	Strays  []market.Stray  `json:"strays"`  // payments that bought nothing
	Balance ton.Nano        `json:"balance,string"`
	USDT    int64           `json:"usdt,string"` // micro-USDT of the wallet

	USDTMade bool `json:"usdt_made"` // somebody was ever given any
}

// Books asks the world for its own record.
func (w *World) Books(ctx context.Context) (Books, error) {
	var b Books
	body, err := w.ask(ctx, http.MethodGet, "/sandbox/books", nil)
	if err != nil {
		return b, err
	}
	return b, json.Unmarshal(body, &b)
}

// Settings are all that Set takes: the world's own, then the market's.
func Settings() []market.Setting {
	return append([]market.Setting{
		{Key: "blocks", Values: "on, off", Effect: "whether the network makes blocks; forgotten when the world ends"},
		{Key: "fund", Values: "an amount of TON such as 2.5, or of USDT such as 30 USDT", Effect: "gives the wallet so much more"},
		{Key: "time", Values: "a duration such as 10m", Effect: "moves the world's clock on"},
	}, market.Settings()...)
}

// Set changes the world, as Settings lists it. What is not known is an error
// that lists what is.
func (w *World) Set(ctx context.Context, key, value string) error {
	_, err := w.ask(ctx, http.MethodPost, "/sandbox/set", url.Values{"key": {key}, "value": {value}})
	return err
}

func (r *running) set(wallet ton.Address, key, value string) error {
	switch key {
	case "fund":
		if a, err := ton.ParseAmount(value); err == nil && a.Asset == ton.AssetUSDT && a.Units > 0 {
			return r.mint(wallet, a.Units)
		}
		amount, err := ton.ParseNano(value)
		if err != nil {
			return fmt.Errorf("fund wants TON to add, such as 2.5, or 30 USDT: %w", err)
		}
		if err := r.network.Fund(wallet, amount); err != nil {
			return err
		}
		_, err = r.network.Produce()
		return err
	case "time":
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			return fmt.Errorf("time wants a duration such as 10m, not %q", value)
		}
		if end := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC); r.network.Now().Add(d).After(end) {
			return fmt.Errorf("time %s: a world's clock ends in the year 2100", value)
		}
		r.network.AdvanceTime(d)
		_, err = r.network.Produce()
		return err
	case "blocks":
		if value != "on" && value != "off" {
			return fmt.Errorf("blocks wants on or off, not %q", value)
		}
		r.network.Stall(value == "off")
		return nil
	}
	var known []string
	for _, s := range Settings() {
		known = append(known, s.Key)
	}
	if !slices.Contains(known, key) {
		return fmt.Errorf("unknown setting %q: known are %s", key, strings.Join(known, ", "))
	}
	return r.market.Set(key, value)
}

// direct speaks to the world on this machine, without the environment's proxy.
var direct = &http.Client{Transport: &http.Transport{}}

func (w *World) ask(ctx context.Context, method, path string, form url.Values) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, w.FragmentURL+path, bytes.NewBufferString(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := direct.Do(r)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("sandbox: %s", strings.TrimSpace(string(body)))
	}
	return body, err
}

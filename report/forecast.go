package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
	"github.com/fragplan/fragplan/ton"
)

// Next writes the dates that come next, a line each.
func Next(w io.Writer, list []spec.Coming, s Style) error {
	if len(list) == 0 {
		return nil
	}
	var b bytes.Buffer
	b.WriteString("\nNext dates:\n")
	if err := s.rows(&b, comingRows(list), nil); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

func comingRows(list []spec.Coming) (rows [][]string) {
	for _, c := range list {
		to := Count(c.People, "person")
		if c.People > 1 {
			to += " each"
		}
		rows = append(rows, []string{c.Date.String(), c.Grant, c.Item.String(), to})
	}
	return rows
}

// Forecast writes a forecast for people: a line a month, and when the wallet
// runs dry.
func Forecast(w io.Writer, f reconcile.Forecast, s Style) error {
	var b bytes.Buffer
	rows := [][]string{{"month", "gifts", "cost", ""}}
	for _, m := range f.Months {
		cost, remark := join(m.Cost), ""
		if m.Gifts == 0 {
			cost = "nothing"
		}
		if m.Over {
			remark = "above limits.month"
		}
		rows = append(rows, []string{m.First.String()[:len("2026-12")], fmt.Sprint(m.Gifts), cost, remark})
	}
	if err := s.rows(&b, rows, func(n int) string {
		if n == 0 {
			return faint
		}
		return ""
	}); err != nil {
		return err
	}
	b.WriteByte('\n')
	if !f.Priced {
		b.WriteString("Costs are ceilings, the worst case: today's prices were not asked for.\n")
	} else {
		b.WriteString("Costs are at today's prices.\n")
	}
	for _, item := range f.Unpriced {
		fmt.Fprintf(&b, "Without a price and in no sum: %s. Write a ceiling under limits.price.\n", item)
	}
	paysWith := assets(f)
	for _, asset := range paysWith {
		wallet := "The wallet"
		if len(paysWith) > 1 {
			wallet += "'s " + string(asset)
		}
		held := slices.IndexFunc(f.Balances, func(a ton.Amount) bool { return a.Asset == asset })
		dry := slices.IndexFunc(f.Dry, func(d reconcile.Dry) bool { return d.Asset == asset })
		switch {
		case len(f.Balances) == 0:
			b.WriteString("The wallet's balance is not known: the TON network could not be read.\n")
			_, err := w.Write(b.Bytes())
			return err
		case held < 0:
			fmt.Fprintf(&b, "How much %s the wallet holds is not known: the TON network could not be read.\n", asset)
		case dry >= 0:
			d := f.Dry[dry]
			fmt.Fprintln(&b, s.prose(red, wallet+" runs dry", fmt.Sprintf("on %s, before %s is paid: it holds %s.", d.Date, Clean(d.Grant, cellWidth), f.Balances[held])))
		default:
			fmt.Fprintf(&b, "%s lasts through %s: it holds %s.\n", wallet, f.Through, f.Balances[held])
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// assets are TON, with which fees are paid, and what else a forecast pays with.
func assets(f reconcile.Forecast) []ton.Asset {
	list := []ton.Asset{ton.AssetTON}
	for _, m := range f.Months {
		for _, c := range m.Cost {
			if !slices.Contains(list, c.Asset) {
				list = append(list, c.Asset)
			}
		}
	}
	return list
}

type jsonMonth struct {
	Month string        `json:"month"` // 2026-12
	Gifts int           `json:"gifts"`
	Cost  []*jsonAmount `json:"cost"` // one amount an asset
	Over  bool          `json:"above_limit"`
}

type jsonDry struct {
	Asset ton.Asset `json:"asset"`
	Date  string    `json:"date"`
	Grant string    `json:"grant"` // the first that can't be paid
}

type jsonForecast struct {
	FormatVersion string        `json:"format_version"`
	Today         string        `json:"today"`
	Through       string        `json:"through"` // the last day that is counted
	Priced        bool          `json:"priced"`  // false: costs are ceilings
	Months        []jsonMonth   `json:"months"`
	Unpriced      []string      `json:"unpriced"` // items in no sum
	Balances      []*jsonAmount `json:"balances"` // of the wallet, those that are known
	Dry           []jsonDry     `json:"dry"`      // when the wallet runs dry, of each asset; none: what is known lasts
	Warnings      []string      `json:"warnings"` // what was in the way of a better forecast
}

// ForecastJSON writes a forecast for programs, on one line of ASCII.
func ForecastJSON(w io.Writer, f reconcile.Forecast, warnings []string) error {
	j := jsonForecast{FormatVersion: JSONFormat, Today: f.Today.String(), Through: f.Through.String(), Priced: f.Priced, Months: []jsonMonth{}, Unpriced: []string{}, Balances: amounts(f.Balances), Dry: []jsonDry{}, Warnings: append([]string{}, warnings...)}
	for _, m := range f.Months {
		j.Months = append(j.Months, jsonMonth{m.First.String()[:len("2026-12")], m.Gifts, amounts(m.Cost), m.Over})
	}
	for _, item := range f.Unpriced {
		j.Unpriced = append(j.Unpriced, item.String())
	}
	for _, d := range f.Dry {
		j.Dry = append(j.Dry, jsonDry{d.Asset, d.Date.String(), d.Grant})
	}
	return writeJSON(w, j)
}

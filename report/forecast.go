package report

import (
	"bytes"
	"fmt"
	"io"

	"github.com/fragplan/fragplan/reconcile"
	"github.com/fragplan/fragplan/spec"
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
	switch {
	case !f.Known:
		b.WriteString("The wallet's balance is not known: the TON network could not be read.\n")
	case f.Dry != nil:
		fmt.Fprintln(&b, s.prose(red, "The wallet runs dry", fmt.Sprintf("on %s, before %s is paid: it holds %s.", f.Dry.Date, Clean(f.Dry.Grant, cellWidth), f.Balance)))
	default:
		fmt.Fprintf(&b, "The wallet lasts through %s: it holds %s.\n", f.Through, f.Balance)
	}
	_, err := w.Write(b.Bytes())
	return err
}

type jsonMonth struct {
	Month string        `json:"month"` // 2026-12
	Gifts int           `json:"gifts"`
	Cost  []*jsonAmount `json:"cost"` // one amount an asset
	Over  bool          `json:"above_limit"`
}

type jsonDry struct {
	Date  string `json:"date"`
	Grant string `json:"grant"`
}

type jsonForecast struct {
	FormatVersion string      `json:"format_version"`
	Today         string      `json:"today"`
	Through       string      `json:"through"` // the last day that is counted
	Priced        bool        `json:"priced"`  // false: costs are ceilings
	Months        []jsonMonth `json:"months"`
	Unpriced      []string    `json:"unpriced"`          // items in no sum
	Balance       *jsonAmount `json:"balance,omitempty"` // of the wallet, where it is known
	Dry           *jsonDry    `json:"dry,omitempty"`     // when the wallet runs dry
	Warnings      []string    `json:"warnings"`          // what was in the way of a better forecast
}

// ForecastJSON writes a forecast for programs, on one line of ASCII.
func ForecastJSON(w io.Writer, f reconcile.Forecast, warnings []string) error {
	j := jsonForecast{FormatVersion: JSONFormat, Today: f.Today.String(), Through: f.Through.String(), Priced: f.Priced, Months: []jsonMonth{}, Unpriced: []string{}, Warnings: append([]string{}, warnings...)}
	for _, m := range f.Months {
		j.Months = append(j.Months, jsonMonth{m.First.String()[:len("2026-12")], m.Gifts, amounts(m.Cost), m.Over})
	}
	for _, item := range f.Unpriced {
		j.Unpriced = append(j.Unpriced, item.String())
	}
	if f.Known {
		j.Balance = amount(f.Balance)
	}
	if f.Dry != nil {
		j.Dry = &jsonDry{f.Dry.Date.String(), f.Dry.Grant}
	}
	return writeJSON(w, j)
}

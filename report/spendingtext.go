package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SpendingText writes what was spent for a terminal: the sums, then one asset
// after the other by week, by grant and by person.
func SpendingText(w io.Writer, s Spending, style Style) error {
	if len(s.Purchases) == 0 {
		_, err := fmt.Fprintf(w, "Nothing was bought %s.\n", s.span())
		return err
	}
	fees := " and " + s.Fees.Amount().String() + " of fees"
	if s.Part {
		fees = "" // a payment's fees aren't split among what it pays for
	}
	if _, err := fmt.Fprintf(w, "%s for %s, %s: %s%s.\n",
		Count(len(s.Purchases), "purchase"), Count(s.people(), "person"), s.span(), join(s.Totals()), fees); err != nil {
		return err
	}
	for _, asset := range s.Assets() {
		weeks := s.Weeks(asset)
		slices.Reverse(weeks)
		for _, part := range []struct {
			title  string
			shares []Share
		}{
			{"by week, newest first", weeks},
			{"by product", s.By(asset, byKind)},
			{"by grant", s.By(asset, byGrant)},
			{"by person", s.By(asset, byPerson)},
		} {
			fmt.Fprintf(w, "\n%s\n", style.paint(bold, string(asset)+" "+part.title))
			var rows [][]string
			for _, share := range part.shares {
				rows = append(rows, []string{share.Name, share.Spent.String(), Count(share.Count, "purchase")})
			}
			if err := style.rows(w, rows, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// SpendingCSV writes a line a purchase, for spreadsheets: RFC 4180, amounts as
// plain decimal numbers with their asset beside. Cells that a spreadsheet would
// take for a formula begin with an apostrophe.
func SpendingCSV(w io.Writer, s Spending) error {
	c := csv.NewWriter(w)
	_ = c.Write([]string{"paid_utc", "order", "key", "person", "handle", "product", "quantity", "price", "asset", "state", "ref", "payment", "transaction"})
	for _, p := range s.Purchases {
		price, asset, _ := strings.Cut(p.Price.String(), " ")
		row := []string{
			p.Time.Format(time.RFC3339), strconv.FormatInt(int64(p.Order), 10), p.Key, p.Person, p.Handle,
			string(p.Item.Kind), strconv.FormatInt(p.Item.Quantity, 10), price, asset, string(p.Phase), p.Ref,
			strconv.FormatInt(int64(p.Payment), 10), p.Transaction.Hash.String(),
		}
		for i, cell := range row {
			row[i] = spreadsheet(Clean(cell, 0))
		}
		_ = c.Write(row)
	}
	c.Flush()
	return c.Error()
}

// spreadsheet keeps a cell from being run as a formula.
func spreadsheet(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\x00", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// SpendingPost writes a post for a Telegram channel in plain text: who got
// what, a paragraph a grant, in the order in which grants were first paid.
func SpendingPost(w io.Writer, s Spending) error {
	var grants []string
	lines := map[string][]string{}
	for _, p := range s.Purchases {
		grant := byGrant(p)
		if lines[grant] == nil {
			grants = append(grants, grant)
		}
		lines[grant] = append(lines[grant], fmt.Sprintf("@%s: %s", p.Handle, p.Item))
	}
	for i, grant := range grants {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if _, err := fmt.Fprintf(w, "%s\n", Clean(grant, 0)); err != nil {
			return err
		}
		for _, line := range lines[grant] {
			if _, err := fmt.Fprintf(w, "🎁 %s\n", Clean(line, 0)); err != nil {
				return err
			}
		}
	}
	return nil
}

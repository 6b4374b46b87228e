package report

import (
	"fmt"
	"strings"
)

// bullets writes a list under a title, in so many bytes.
func bullets(b *strings.Builder, title string, items []string, most int) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(b, "\n**%s**\n\n", title)
	end := b.Len() + most
	for i, item := range items {
		if b.Len()+len(item) > end {
			fmt.Fprintf(b, "- and %d more\n", len(items)-i)
			return
		}
		b.WriteString("- " + item + "\n")
	}
}

// fenced is YAML to paste, in a block inside a list item.
func fenced(text string) string {
	if text == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n\n  ~~~~yaml\n")
	for _, line := range pasted(text) {
		b.WriteString("  " + strings.ReplaceAll(line, "~~~", "\\u{7e}") + "\n")
	}
	return b.String() + "  ~~~~\n"
}

func place(s string) string {
	if s == "" {
		return ""
	}
	return " at " + span(s)
}

// inline is a sentence of fragplan's own as plain text, or in a code span if it
// holds what is none: an asset from a plan file that somebody has made up.
func inline(s string) string {
	for i, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(" ,:;()'+%-", r):
		case r == '.' && (i+1 == len(s) || s[i+1] == ' ' || s[i+1] >= '0' && s[i+1] <= '9'):
		default:
			return span(s)
		}
	}
	return s
}

// span puts text into a code span that the text can't end: its fence is
// longer than any run of backticks inside.
func span(s string) string {
	s = Clean(s, 300)
	longest, run := 0, 0
	for _, r := range s {
		if run++; r != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	if longest > 0 || strings.TrimSpace(s) != s || s == "" {
		s = " " + s + " "
	}
	return fence + s + fence
}

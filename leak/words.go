package leak

import (
	_ "embed"
	"slices"
	"strings"
)

// wordList is the English list of BIP-39, from which TON's phrases are made too.
//
//go:embed words.txt
var wordList string

var list, common = set(wordList), set(commonWords)

func set(text string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(text) {
		m[w] = true
	}
	return m
}

// commonWords of the list are what prose and programs are made of: 307 of its
// 2,048. Of twelve words that were drawn by lot, ten are hardly ever among them
// (one phrase of 12 in three million).
const commonWords = `
about above across again all also always among any around because become
before begin behind below between can case change code come day double end
enough error exact example exist exit expect false field file final find
first follow force game give good great group half have help high history
hold home hope hour image index input install into item just keep key kind
know label large later learn leave length letter level life like limit link
list little load local long main make man manage mean memory message method
minimum minute model more move much must name need network never next note
now number object off offer office often oil old once one only open option
order other output over own owner page pass path people person place play
point position possible present prevent problem process produce program
project proof property provide public pull push put quality question quick
raise ready real reason record reduce regular remain remember remove repeat
replace report require result return right round route rule run safe same
say scale school search second security select sense series service session
setup share side sign similar simple since size small someone soon sort
sound source space special split stable stand start state stay step still
strategy strong such suggest sure swap switch symbol system table tag talk
target task tell ten term test text thank that then theory there they thing
this thought three thumb time tiny title today together token tool top topic
total toward track trade traffic transfer tree trend trial trigger true
trust try turn twenty two type under unique unit until update upgrade upon
use used useful usual valid very view visit visual vote wait walk wall want
warm way wealth web welcome what when where will window word work world
worth wrap write wrong yard year yellow you young
`

const (
	// leastWords is how many words the shortest phrase has. Prose and code
	// hold words of the list too, but hardly twelve in a row.
	leastWords = 12
	// maxGap bounds what may stand between two words, in bytes.
	maxGap = 40
	// longestWord of the list, in letters.
	longestWord = 8
)

// run is a row of words of the list with nothing else between them.
type run struct {
	line  int // of the first word
	words []string
}

// seeds returns the lines on which phrases begin.
func seeds(text []byte) (lines []int) {
	runs(text, func(r run) {
		if r.phrase() {
			lines = append(lines, r.line)
		}
	})
	return lines
}

// WordsIn reports whether a text may hold a part of a phrase: four words of the
// list in a row, of which at most one is an everyday word. It is for what a
// program says that has the phrase at hand, and too strict for other texts.
func WordsIn(text []byte) (found bool) {
	const part = 4
	runs(text, func(r run) {
		for i := 0; i+part <= len(r.words) && !found; i++ {
			everyday := 0
			for _, w := range r.words[i : i+part] {
				if common[w] {
					everyday++
				}
			}
			found = everyday <= 1
		}
	})
	return found
}

// runs calls each with every row of words. It is valid until each returns.
func runs(text []byte, each func(run)) {
	var r run
	end := func() {
		each(r)
		r.words = r.words[:0]
	}
	line, gap := 1, 0
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case letter(c):
			start := i
			var lower [longestWord]byte
			for ; i < len(text) && letter(text[i]); i++ {
				if n := i - start; n < longestWord {
					lower[n] = text[i] | 0x20
				}
			}
			n := i - start
			if n > longestWord || !list[string(lower[:n])] {
				end()
				break
			}
			if len(r.words) == 0 {
				r.line = line
			}
			r.words = append(r.words, string(lower[:n]))
			gap = 0
		case c == '\\' && i+1 < len(text) && strings.IndexByte("nrt", text[i+1]) >= 0:
			i, gap = i+2, gap+2 // a line break or a tab inside a quoted text
		default:
			if gap++; gap > maxGap || !between(c) {
				end()
			}
			if c == '\n' {
				line++
			}
			i++
		}
	}
	end()
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// between reports whether a byte may stand between two words of a phrase:
// spaces, quotes, commas, the numbers and marks of lists, of comments and of
// tables. Brackets and operators of programs may not.
func between(c byte) bool {
	return c >= '0' && c <= '9' || strings.IndexByte(" \t\r\n\"'`,;:.|-_*#/[]\\)+%", c) >= 0
}

// phrase reports whether a row of words may open a wallet: whether any twelve
// in it look drawn by lot.
func (r run) phrase() bool {
	for i := 0; i+leastWords <= len(r.words); i++ {
		if drawn(r.words[i : i+leastWords]) {
			return true
		}
	}
	return false
}

// drawn reports whether words look drawn by lot: not in the order of the
// alphabet, not everyday words, and not the same again and again.
func drawn(words []string) bool {
	ascending, everyday := 0, 0
	for i, w := range words {
		if i > 0 && words[i-1] < w {
			ascending++
		}
		if common[w] {
			everyday++
		}
	}
	distinct := slices.Clone(words)
	slices.Sort(distinct)
	return ascending < len(words)-1 && everyday < 10 && len(slices.Compact(distinct)) >= 8
}

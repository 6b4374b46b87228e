package spec

// maxSuggestWork bounds the comparisons that a run spends on guesses, so that
// a file full of mistakes doesn't take quadratic time.
const maxSuggestWork = 1_000_000

// Nearest finds the word that s is most likely a slip of.
func Nearest(s string, words []string) (string, bool) { return new(reporter).nearest(s, words) }

// nearest finds the word that s is most likely a slip of.
func (r *reporter) nearest(s string, words []string) (string, bool) {
	if len(s) > 64 {
		return "", false
	}
	best, distance := "", max(1, len(s)/3)+1
	for _, w := range words {
		if r.guesses++; r.guesses > maxSuggestWork {
			return "", false
		}
		if diff := len(w) - len(s); diff >= distance || -diff >= distance {
			continue
		}
		if d := edits(s, w); d < distance {
			best, distance = w, d
		}
	}
	return best, best != ""
}

// edits counts the insertions, deletions, replacements and swaps of neighbours
// that turn a into b.
func edits(a, b string) int {
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}

package main

// word is a flag's value with a name for help, such as FILE in "-out FILE".
// The flag library would want backticks in the description, which completion
// then shows.
type word struct {
	value *string
	name  string
}

func (w word) String() string        { return *w.value }
func (w word) Set(text string) error { *w.value = text; return nil }
func (w word) Type() string          { return w.name }

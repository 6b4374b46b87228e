package main

import "strings"

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

// list is a flag that may be repeated.
type list struct {
	values *[]string
	name   string
}

func (w list) String() string        { return strings.Join(*w.values, ", ") }
func (w list) Set(text string) error { *w.values = append(*w.values, text); return nil }
func (w list) Type() string          { return w.name }

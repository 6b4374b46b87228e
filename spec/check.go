package spec

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-playground/validator/v10"
	"gopkg.in/yaml.v3"
)

// values checks what was read against the tags of its type.
var values = newValidator()

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

func newValidator() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string { return f.Tag.Get("yaml") })
	err := v.RegisterValidation("name", func(f validator.FieldLevel) bool { return nameForm.MatchString(f.Field().String()) })
	if err != nil {
		panic("spec: the rules are constants: " + err.Error())
	}
	return v
}

// rules says for each tag what is wrong and what to write.
var rules = map[string][2]string{
	"name": {"must be 1 to 64 letters, digits, -, _ and points, beginning with a letter or digit", "a person outside people: is written as a recipient: to: \"@name\""},
	"max":  {"is too long", "shorten it"},
	"eq":   {"is not a version that this fragplan reads", "write version: 1"},
}

// validate checks a value that was read from n; key is where its name stands.
func (d *doc) validate(n *yaml.Node, value any, key ...*yaml.Node) {
	var fields validator.ValidationErrors
	if err := values.Struct(value); !errors.As(err, &fields) {
		return
	}
	for _, f := range fields {
		rule := rules[f.Tag()]
		at := find(n, f.Namespace())
		if f.Tag() == "name" && len(key) > 0 {
			at = key[0]
		}
		if s := fmt.Sprint(f.Value()); f.Tag() == "name" && !strings.HasPrefix(s, "@") {
			rule[1] = "take other characters out"
			if near := strings.Trim(unnamed.ReplaceAllString(s, "-"), "-_."); nameForm.MatchString(near) {
				rule[1] = "write " + near
			}
		}
		d.bad(at, f.Tag(), rule[1], "%s %s %s", f.Field(), clip(fmt.Sprint(f.Value())), rule[0])
	}
}

// unnamed is what stands in no name.
var unnamed = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// find walks from n along a namespace such as "person.was[1]" as far as it
// goes.
func find(n *yaml.Node, namespace string) *yaml.Node {
	steps := strings.FieldsFunc(namespace, func(r rune) bool { return strings.ContainsRune(".[]", r) })
	for _, step := range steps[min(1, len(steps)):] {
		next := (*yaml.Node)(nil)
		if i, err := strconv.Atoi(step); err == nil && n.Kind == yaml.SequenceNode && i < len(n.Content) {
			next = n.Content[i]
		}
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				next = n.Content[i+1]
			}
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

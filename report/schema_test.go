package report

import (
	"encoding"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"

	"github.com/fragplan/fragplan/schedule"
)

// published are the types that programs read.
var published = map[string]struct {
	title string
	of    any
}{
	"plan":     {"What fragplan plan -json prints", jsonPlan{}},
	"apply":    {"A line of fragplan apply -json, and of every -json that ends in an error", record{}},
	"validate": {"What fragplan validate -json prints", jsonValid{}},
	"forecast": {"What fragplan forecast -json prints", jsonForecast{}},
	"report":   {"What fragplan report -format json prints", jsonSpending{}},
	"receipt":  {"What fragplan receipt -json prints", jsonReceipt{}},
	"ledger":   {"What fragplan ledger list -json prints", jsonLedger{}},
	"audit":    {"What fragplan ledger audit -json prints", jsonAudit{}},
}

// remarks are the comments of this room's struct fields, by type and field.
func remarks(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				typ, ok := s.(*ast.TypeSpec)
				if !ok {
					continue
				}
				of, ok := typ.Type.(*ast.StructType)
				if !ok {
					continue
				}
				for _, field := range of.Fields.List {
					for _, name := range field.Names {
						found[typ.Name.Name+"."+name.Name] = strings.TrimSpace(field.Doc.Text() + field.Comment.Text())
					}
				}
			}
		}
	}
	return found
}

// The published schemas are what the Go types say.
func TestSchemasAreMadeFromTheTypes(t *testing.T) {
	said := remarks(t)
	r := &jsonschema.Reflector{
		Anonymous: true, DoNotReference: true, ExpandedStruct: true, AllowAdditionalProperties: true,
		LookupComment: func(typ reflect.Type, field string) string { return said[typ.Name()+"."+field] },
		Mapper: func(typ reflect.Type) *jsonschema.Schema {
			switch {
			case typ == reflect.TypeFor[schedule.Date]():
				return &jsonschema.Schema{Type: "string", Format: "date"}
			case typ.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
				return &jsonschema.Schema{Type: "string"}
			}
			return nil
		},
	}
	got := map[string]string{}
	for name, p := range published {
		s := r.Reflect(p.of)
		s.Title = p.title
		b, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got[name] = string(b) + "\n"
	}
	if flag.Lookup("update").Value.String() == "true" {
		for name, text := range got {
			if err := os.WriteFile(filepath.Join("schema", name+".json"), []byte(text), fs.FileMode(0o644)); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	want := map[string]string{}
	for name, b := range Schemas() {
		want[name] = string(b)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("go test ./report -run Schemas -update makes them anew: %s", d)
	}
}

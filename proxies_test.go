package fragplan_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// What goes out by HTTP goes where fragplan is told: no client of the standard
// library that asks the environment for a proxy is used outside of tests, and
// none is made without saying how it connects.
func TestNoClientAsksTheEnvironment(t *testing.T) {
	asks := map[string]bool{"DefaultClient": true, "DefaultTransport": true, "ProxyFromEnvironment": true, "Get": true, "Head": true, "Post": true, "PostForm": true}
	files, clients := token.NewFileSet(), 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if of, ok := n.X.(*ast.Ident); ok && of.Name == "http" && asks[n.Sel.Name] {
					t.Errorf("%s: http.%s takes a proxy from the environment", files.Position(n.Pos()), n.Sel.Name)
				}
			case *ast.CompositeLit:
				kind, ok := n.Type.(*ast.SelectorExpr)
				if !ok || kind.Sel.Name != "Client" {
					return true
				}
				if of, ok := kind.X.(*ast.Ident); !ok || of.Name != "http" {
					return true
				}
				clients++
				for _, e := range n.Elts {
					if field, ok := e.(*ast.KeyValueExpr); ok && field.Key.(*ast.Ident).Name == "Transport" {
						return true
					}
				}
				t.Errorf("%s: a client without a Transport takes a proxy from the environment", files.Position(n.Pos()))
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if clients == 0 {
		t.Error("no client was found: the search is not sound")
	}
}

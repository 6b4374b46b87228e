package rule

import (
	"fmt"
	"reflect"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/ton"
)

// What one expression may take: nothing that people write comes near it.
const (
	maxLength = 2000    // characters
	maxDepth  = 50      // of nesting
	maxCost   = 100_000 // units of CEL, for one purchase
)

// Facts are what an expression can ask about a purchase, by the names in their
// tags.
type Facts struct {
	Key      string            `cel:"key"`       // "thanks/ann@2026-12-01"
	Grant    string            `cel:"grant"`     // "thanks"
	Person   string            `cel:"person"`    // the id under people, or "@name"
	Handle   string            `cel:"handle"`    // the user name, in lower case, without "@"
	Product  string            `cel:"product"`   // "stars", "premium" or "ton"
	Quantity int64             `cel:"quantity"`  // what is bought now: Stars, months or whole TON
	Want     int64             `cel:"want"`      // what the key is to have in all
	Have     int64             `cel:"have"`      // what was given for it before
	New      bool              `cel:"new"`       // nothing was given for the key before
	First    bool              `cel:"first"`     // nothing has come to the person yet
	CostTON  int64             `cel:"cost_ton"`  // what it is expected to cost, in nanoTON; 0 if USDT pays
	CostUSDT int64             `cel:"cost_usdt"` // the same in the millionth part of USDT; 0 if TON pays
	MaxTON   int64             `cel:"max_ton"`   // what it may cost at most, in nanoTON
	MaxUSDT  int64             `cel:"max_usdt"`
	Campaign string            `cel:"campaign"` // "" for none
	Labels   map[string]string `cel:"labels"`
	Date     string            `cel:"date"`   // on which it falls due, "2026-12-01"; "" for what has none
	Reason   string            `cel:"reason"` // the author's
}

// A Problem is why an expression is not taken, at a place in it.
type Problem struct {
	Line, Column int // from 1; 0 if it is about the whole
	Text         string
}

func (p *Problem) Error() string { return p.Text }

// A Rule is one that was compiled.
type Rule struct {
	policy.Rule
	program cel.Program
}

// Compile reads rules. The problems of each are at its index.
func Compile(list []policy.Rule) ([]Rule, map[int][]*Problem) {
	problems := map[int][]*Problem{}
	if len(list) == 0 {
		return nil, problems
	}
	env, err := environment()
	if err != nil {
		panic("rule: the environment is constant: " + err.Error())
	}
	rules := make([]Rule, 0, len(list))
	for i, r := range list {
		program, wrong := compile(env, r.When)
		if len(wrong) > 0 {
			problems[i] = wrong
			continue
		}
		rules = append(rules, Rule{r, program})
	}
	return rules, problems
}

// environment declares the facts and the two functions that read amounts.
func environment() (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.ParserExpressionSizeLimit(maxLength), cel.ParserRecursionLimit(maxDepth),
		money("ton", ton.AssetTON), money("usdt", ton.AssetUSDT),
	}
	facts := reflect.TypeFor[Facts]()
	for i := range facts.NumField() {
		f := facts.Field(i)
		options = append(options, cel.Variable(f.Tag.Get("cel"), kinds[f.Type.Kind()]))
	}
	return cel.NewEnv(options...)
}

var kinds = map[reflect.Kind]*cel.Type{
	reflect.String: cel.StringType, reflect.Int64: cel.IntType, reflect.Bool: cel.BoolType, reflect.Map: cel.MapType(cel.StringType, cel.StringType),
}

// money declares ton("5.5") and usdt("30"): an amount as an integer, so that no
// fraction is ever computed with.
func money(name string, asset ton.Asset) cel.EnvOption {
	return cel.Function(name, cel.Overload(name+"_string", []*cel.Type{cel.StringType}, cel.IntType, cel.UnaryBinding(func(v ref.Val) ref.Val {
		units, err := read(string(v.(types.String)), asset)
		if err != nil {
			return types.NewErr("%v", err)
		}
		return types.Int(units)
	})))
}

func read(text string, asset ton.Asset) (int64, error) {
	a, err := ton.ParseAmount(text + " " + string(asset))
	return a.Units, err
}

func compile(env *cel.Env, text string) (cel.Program, []*Problem) {
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		var list []*Problem
		for _, e := range issues.Errors() {
			list = append(list, &Problem{max(0, e.Location.Line()), e.Location.Column() + 1, e.Message})
		}
		return nil, list
	}
	if checked.OutputType() != cel.BoolType {
		return nil, []*Problem{{1, 1, fmt.Sprintf("it must be true or false, and is of type %s", checked.OutputType())}}
	}
	if p := amounts(checked.NativeRep()); p != nil {
		return nil, []*Problem{p}
	}
	program, err := env.Program(checked, cel.CostLimit(maxCost))
	if err != nil {
		return nil, []*Problem{{0, 0, err.Error()}}
	}
	return program, nil
}

// amounts finds an amount that can't be read before money depends on it.
func amounts(a *ast.AST) *Problem {
	for _, f := range []struct {
		name  string
		asset ton.Asset
	}{{"ton", ton.AssetTON}, {"usdt", ton.AssetUSDT}} {
		for _, call := range ast.MatchDescendants(ast.NavigateAST(a), ast.FunctionMatcher(f.name)) {
			at := a.SourceInfo().GetStartLocation(call.ID())
			args := call.AsCall().Args()
			if len(args) != 1 || args[0].Kind() != ast.LiteralKind {
				return &Problem{at.Line(), at.Column() + 1, f.name + ` takes an amount in quotes: ` + f.name + `("5.5")`}
			}
			if _, err := read(fmt.Sprint(args[0].AsLiteral().Value()), f.asset); err != nil {
				return &Problem{at.Line(), at.Column() + 1, err.Error()}
			}
		}
	}
	return nil
}

// Holds reports whether the rule speaks of a purchase. An error means that it
// can't be said, and a purchase of which it can't be said must not be made.
func (r Rule) Holds(f Facts) (bool, error) {
	if f.Labels == nil {
		f.Labels = map[string]string{}
	}
	values, facts := map[string]any{}, reflect.ValueOf(f)
	for i := range facts.NumField() {
		values[facts.Type().Field(i).Tag.Get("cel")] = facts.Field(i).Interface()
	}
	v, _, err := r.program.Eval(values)
	if err != nil {
		if key, ok := strings.CutPrefix(err.Error(), "no such key: "); ok {
			return false, fmt.Errorf("rule %s asks for label %q, which this grant has not: ask %q in labels first", r.Name, key, key)
		}
		return false, fmt.Errorf("rule %s can't be judged: %w", r.Name, err)
	}
	return v == types.True, nil
}

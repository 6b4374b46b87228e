package spec

import (
	"errors"
	"os"
	"slices"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/ton"
)

// Load reads fragplan.yaml in dir and the files that it lists. Its error is
// *Errors and holds everything that is wrong, not only the first.
func Load(dir string) (*Project, error) {
	r := &reporter{sources: map[string]*source{}, said: map[said]bool{}}
	start := Pos{MainFile, 1, 1}
	root, err := os.OpenRoot(dir)
	if err != nil {
		r.add(start, "no-folder", "name the project's folder with -chdir", "folder %q: %v", dir, plain(err))
		return nil, r.err()
	}
	defer root.Close()
	l := &loader{
		r: r, folder: &folder{root: root}, p: &Project{Dir: dir, Ledger: Ledger{File: DefaultLedger, Remote: DefaultRemote}, Timezone: time.UTC, PlanExpiry: DefaultExpiry, Notices: Notices{Silence: DefaultSilence}},
		people: map[string]Pos{}, names: map[string]*named{}, grants: map[string]Pos{}, handles: map[string]string{}, confirmed: map[string]confirmation{},
	}
	l.load(start)
	if err := r.err(); err != nil {
		return nil, err
	}
	return l.p, nil
}

// loader is one run of Load.
type loader struct {
	r      *reporter
	folder *folder
	p      *Project

	people  map[string]Pos    // by id
	names   map[string]*named // of people and groups
	groups  []pendingGroup
	byID    map[string]int    // of p.People, once all files are read
	ids     []string          // of people
	words   []string          // of groups and people
	grants  map[string]Pos    // by name
	handles map[string]string // by handle, in lower case: the person's id
	pending []pendingGrant
	rows    int // of all tables, once for each grant that reads them
	tables  int // 〃, bytes

	confirmed map[string]confirmation // by handle, in lower case

	recurring map[recurrence]recurred // rules of RFC 5545 that were read

	partial bool    // a file could not be read, or a part of it; so who isn't known may stand there
	money   payWith // of fragplan.yaml
}

func (l *loader) load(start Pos) {
	n, ok := l.open(MainFile, start, "make one with: fragplan init")
	if !ok {
		return
	}
	for _, f := range l.main(&doc{MainFile, l.r}, n) {
		if n, ok := l.open(f.name, f.pos, ""); ok {
			l.members(&doc{f.name, l.r}, n)
		}
	}
	l.resolve()
}

// open reads and parses a file that is asked for at pos.
func (l *loader) open(name string, pos Pos, hint string) (*yaml.Node, bool) {
	text, err := l.folder.read(name)
	if err != nil {
		l.partial = true
		l.notRead(pos, err, hint)
		return nil, false
	}
	l.p.Files = append(l.p.Files, name)
	l.r.sources[name] = &source{text: text}
	n := parse(name, text, l.r)
	l.partial = l.partial || n == nil
	return n, n != nil
}

func (l *loader) notRead(pos Pos, err error, hint string) {
	var e *errNotRead
	if !errors.As(err, &e) {
		e = &errNotRead{"file", err.Error(), ""}
	}
	if e.hint != "" {
		hint = e.hint
	}
	l.r.add(pos, e.rule, hint, "%s", e.message)
}

type listed struct {
	name string
	pos  Pos // of the pattern that names it
}

// header is what fragplan.yaml says by itself, for the checks of its values.
type header struct {
	Version int64 `yaml:"version" validate:"eq=1"`
}

// main reads fragplan.yaml and returns the files that it names, each once.
func (l *loader) main(d *doc, n *yaml.Node) []listed {
	var files []listed
	h := header{Version: 1}
	seen := map[string]bool{}
	for _, e := range d.mapping(n, MainFile, "begin with version: 1") {
		seen[e.name] = true
		switch e.name {
		case "version":
			if v, ok := d.number(e.value, "version", "write version: 1"); ok {
				h.Version = v
			}
		case "wallet":
			l.wallet(d, e)
		case "ledger":
			l.ledger(d, e)
		case "timezone":
			l.timezone(d, e.value)
		case "limits":
			l.limits(d, e)
		case "plans":
			l.plans(d, e)
		case "approvals":
			l.approvals(d, e)
		case "rules":
			l.rules(d, e.value)
		case "sessions":
			l.sessions(d, e)
		case "notices":
			l.notices(d, e)
		case "destinations":
			members, _ := d.list(e.value, "destinations", "[UQ…]")
			for _, m := range members {
				if a, ok := d.address(m, "a destination"); ok {
					l.p.Destinations = append(l.p.Destinations, a)
				}
			}
		case "pay_with":
			if m, ok := d.money(e.value); ok {
				l.money = m
			}
		case "files":
			files = l.files(d, e.value)
		case "people", "groups", "grants", "defaults", "moved", "settled", "import":
			d.bad(e.key, "unknown-field", "move them to a file and list it under files:", "%s don't stand in %s", e.name, MainFile)
		default:
			d.unknown(e.key, MainFile, "version", "wallet", "ledger", "timezone", "limits", "rules", "plans", "approvals", "sessions", "notices", "destinations", "pay_with", "files")
		}
	}
	if n.Kind == yaml.MappingNode {
		d.require(n, "the project", seen, [][2]string{
			{"version", "version: 1"}, {"wallet", "wallet: {version: v5r1, address: UQ…}"},
			{"limits", "limits: {order: 20 TON, run: 60 TON, month: 200 TON, undelivered: 25 TON}"},
			{"files", "files: [people.yaml, grants/*.yaml]"},
		})
	}
	d.validate(n, h)
	return files
}

// require reports fields that must stand, with an example of each, but those of
// which a slip stands there: that is reported as an unknown field.
func (d *doc) require(n *yaml.Node, what string, seen map[string]bool, fields [][2]string) {
	for _, f := range fields {
		if !seen[f[0]] && !merges(n) && !d.misspelt(n, f[0]) {
			d.bad(n, "missing", "write "+f[1], "%s has no %s", what, f[0])
		}
	}
}

func (d *doc) address(n *yaml.Node, what string) (ton.Address, bool) {
	s, ok := d.text(n, what, "an address: UQ…")
	if !ok {
		return ton.Address{}, false
	}
	a, _, err := ton.ParseAddress(s)
	switch {
	case err != nil:
		d.bad(n, "address", "copy it again from the wallet application: 48 characters that begin with UQ", "%v", clipError(err))
		return ton.Address{}, false
	case a.Workchain != 0 || a.IsZero():
		d.bad(n, "address", "write an address that begins with UQ", "%s is not an account in the basic workchain", what)
		return ton.Address{}, false
	}
	return a, true
}

func clipError(err error) string {
	if r := []rune(err.Error()); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return err.Error()
}

// files resolves the patterns of "files:". Fragplan.yaml itself is passed over,
// so that "*.yaml" may be written.
func (l *loader) files(d *doc, n *yaml.Node) (files []listed) {
	seen := map[string]bool{MainFile: true}
	members, _ := d.list(n, "files", "[people.yaml, grants/*.yaml]")
	for i, m := range members {
		if i == maxFiles {
			d.bad(m, "files", "write one pattern for each folder: grants/*.yaml", "more than %d files and patterns", maxFiles)
			return files
		}
		pattern, ok := d.text(m, "a file", "people.yaml or grants/*.yaml")
		if !ok {
			continue
		}
		names, err := l.folder.match(pattern)
		if err != nil {
			l.partial = true
			l.notRead(d.pos(m), err, "")
			continue
		}
		slices.Sort(names)
		for _, name := range names {
			if seen[name] {
				continue
			}
			seen[name] = true
			if len(files) == maxFiles {
				d.bad(m, "files", "put more grants into each file", "more than %d files", maxFiles)
				return files
			}
			files = append(files, listed{name, d.pos(m)})
		}
	}
	return files
}

// Sources lists the YAML files of a project, with the main one first.
func Sources(dir string) ([]string, error) {
	r := &reporter{sources: map[string]*source{}, said: map[said]bool{}}
	root, err := os.OpenRoot(dir)
	if err != nil {
		r.add(Pos{MainFile, 1, 1}, "no-folder", "name the project's folder with -chdir", "folder %q: %v", dir, plain(err))
		return nil, r.err()
	}
	defer root.Close()
	l := &loader{r: r, folder: &folder{root: root}, p: &Project{}}
	n, ok := l.open(MainFile, Pos{MainFile, 1, 1}, "make one with: fragplan init")
	if !ok {
		return nil, r.err()
	}
	files := []string{MainFile}
	d := &doc{MainFile, &reporter{sources: r.sources, said: map[said]bool{}}}
	for _, e := range d.mapping(n, MainFile, "") {
		if e.name == "files" {
			for _, f := range l.files(&doc{MainFile, r}, e.value) {
				files = append(files, f.name)
			}
		}
	}
	return files, r.err()
}

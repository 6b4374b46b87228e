package spec_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/fragplan/fragplan/spec"
)

// The shape of fragplan.yaml, from which its schema is made.
type (
	mainShape struct {
		Version      int                  `yaml:"version" jsonschema:"enum=1" jsonschema_description:"of this format: 1"`
		Wallet       payer                `yaml:"wallet" jsonschema_description:"the account that pays, and who signs for it"`
		Ledger       record               `yaml:"ledger,omitempty" jsonschema_description:"where the record of what was bought is kept; .fragplan/ledger.db if nothing is written"`
		Timezone     string               `yaml:"timezone,omitempty" jsonschema_description:"whose clocks say when a day begins: Europe/Berlin; UTC if nothing is written"`
		Limits       bounds               `yaml:"limits" jsonschema_description:"what bounds every purchase"`
		Rules        []demand             `yaml:"rules,omitempty" jsonschema_description:"what is demanded of purchases beside limits, in CEL"`
		Plans        *planned             `yaml:"plans,omitempty" jsonschema_description:"of plans that are saved"`
		Approvals    *approvals           `yaml:"approvals,omitempty" jsonschema_description:"how many people must have signed a plan"`
		Sessions     map[string]keySource `yaml:"sessions,omitempty" jsonschema_description:"where the cookies of each session at Fragment are; the environment's own if nothing is written"`
		Notices      *notices             `yaml:"notices,omitempty" jsonschema_description:"where people are told what became of a run"`
		Destinations addresses            `yaml:"destinations,omitempty" jsonschema_description:"the accounts that may be paid"`
		PayWith      asset                `yaml:"pay_with,omitempty" jsonschema_description:"the money that pays, where neither a file nor a grant says it"`
		Files        paths                `yaml:"files" jsonschema_description:"the files of people and grants, by path or pattern"`
	}
	demand struct {
		Name string `yaml:"name" jsonschema_description:"by which it is known in a plan"`
		When string `yaml:"when" jsonschema:"minLength=1,maxLength=2000" jsonschema_description:"an expression that is true or false, such as first && cost_ton > ton(\"5\")"`
		Deny string `yaml:"deny,omitempty" jsonschema:"minLength=1,maxLength=500" jsonschema_description:"what is said of what must not be bought"`
		Warn string `yaml:"warn,omitempty" jsonschema:"minLength=1,maxLength=500" jsonschema_description:"what is said of what may be bought all the same"`
	}
	planned struct {
		Expire string `yaml:"expire,omitempty" jsonschema:"pattern=^[0-9.]+(h|m|s)([0-9.]+(m|s))*$" jsonschema_description:"how long a saved plan is good: 24h"`
	}
	approvals struct {
		Signers string   `yaml:"signers" jsonschema:"minLength=1" jsonschema_description:"the file of those who may sign, as git's gpg.ssh.allowedSignersFile"`
		Quorum  []quorum `yaml:"quorum" jsonschema:"minItems=1" jsonschema_description:"how many must, by what a plan may cost"`
	}
	quorum struct {
		Above sum `yaml:"above" jsonschema_description:"what a plan may cost more than: 50 TON"`
		Count int `yaml:"count" jsonschema:"minimum=1,maximum=20" jsonschema_description:"so many people"`
	}
	payer struct {
		Version   string     `yaml:"version" jsonschema:"enum=v5r1,enum=v4r2" jsonschema_description:"the wallet's contract"`
		Address   address    `yaml:"address" jsonschema_description:"the wallet's address: UQ…"`
		PublicKey string     `yaml:"public_key,omitempty" jsonschema_description:"64 hexadecimal digits or base64"`
		Key       walletKey  `yaml:"key,omitempty" jsonschema_description:"where the words are; never the words"`
		Signer    *signature `yaml:"signer,omitempty" jsonschema_description:"a program that signs in the place of a key"`
	}
	signature struct {
		Exec    command `yaml:"exec" jsonschema_description:"program and arguments"`
		Timeout string  `yaml:"timeout,omitempty" jsonschema:"pattern=^[0-9.]+(ms|s|m)([0-9.]+(ms|s))*$" jsonschema_description:"1s to 150s"`
	}
	recordFields struct {
		File       string    `yaml:"file,omitempty" jsonschema_description:"in the project's folder"`
		Sync       string    `yaml:"sync,omitempty" jsonschema:"pattern=^git:[A-Za-z0-9][A-Za-z0-9._/-]*$" jsonschema_description:"the branch that holds the log: git:fragplan-ledger"`
		Remote     string    `yaml:"remote,omitempty" jsonschema_description:"of the repository; origin if nothing is written"`
		EncryptTo  []string  `yaml:"encrypt_to,omitempty" jsonschema:"minItems=1" jsonschema_description:"public keys of age or SSH to which the log is encrypted: age1…"`
		Identity   keySource `yaml:"identity,omitempty" jsonschema_description:"where what opens it is; FRAGPLAN_LEDGER_IDENTITY or FRAGPLAN_LEDGER_IDENTITY_FILE if nothing is written"`
		Persistent bool      `yaml:"persistent,omitempty" jsonschema_description:"the file outlives the machine, so that it may stand alone in CI"`
		URL        string    `yaml:"url,omitempty" jsonschema:"pattern=^postgres(ql)?://" jsonschema_description:"a PostgreSQL database in the place of a file: postgres://user@host/database"`
		Name       string    `yaml:"name,omitempty" jsonschema:"pattern=^[a-z][a-z0-9_]{0\\,39}$" jsonschema_description:"of the ledger in that database, if there are several"`
	}
	notices struct {
		Project  string    `yaml:"project,omitempty" jsonschema:"maxLength=100" jsonschema_description:"how messages name the project"`
		Silence  string    `yaml:"silence,omitempty" jsonschema:"pattern=^[0-9.]+(h|m|s)([0-9.]+(m|s))*$" jsonschema_description:"after so long without a run that ended well people are told; 48h if nothing is written"`
		Telegram *telegram `yaml:"telegram,omitempty" jsonschema_description:"a chat, from a bot"`
		Slack    slack     `yaml:"slack,omitempty" jsonschema_description:"an incoming webhook"`
		Webhook  *webhook  `yaml:"webhook,omitempty" jsonschema_description:"an address that takes signed JSON"`
		Alive    alive     `yaml:"alive,omitempty" jsonschema_description:"a service that waits for good runs"`
	}
	told struct {
		On      kinds `yaml:"on,omitempty" jsonschema_description:"what is told; everything if nothing is written"`
		Private bool  `yaml:"private,omitempty" jsonschema_description:"it is on this machine or in a private network"`
	}
	telegram struct {
		told
		Chat  chat      `yaml:"chat" jsonschema_description:"a chat's number, or @channel"`
		Topic int64     `yaml:"topic,omitempty" jsonschema_description:"of a forum"`
		API   string    `yaml:"api,omitempty" jsonschema:"pattern=^https?://" jsonschema_description:"an own Bot API server"`
		Token keySource `yaml:"token,omitempty" jsonschema_description:"where the bot's token is; FRAGPLAN_TELEGRAM_TOKEN if nothing is written"`
	}
	webhook struct {
		told
		URL    string    `yaml:"url" jsonschema:"pattern=^https?://" jsonschema_description:"https, or http with private: true"`
		Secret keySource `yaml:"secret,omitempty" jsonschema_description:"where what signs is; FRAGPLAN_WEBHOOK_SECRET if nothing is written"`
	}
	bounds struct {
		Order       amounts            `yaml:"order" jsonschema_description:"one purchase"`
		Run         amounts            `yaml:"run" jsonschema_description:"one apply"`
		Month       amounts            `yaml:"month" jsonschema_description:"one calendar month"`
		Undelivered amounts            `yaml:"undelivered" jsonschema_description:"paid and not yet acknowledged: sign nothing more"`
		FirstTime   amounts            `yaml:"first_time,omitempty" jsonschema_description:"for somebody to whom nothing came yet"`
		Price       map[string]amounts `yaml:"price,omitempty" jsonschema_description:"ceilings: 100 stars, premium 3 months"`
		Day         amounts            `yaml:"day,omitempty" jsonschema_description:"one day"`
		Person      rates              `yaml:"person,omitempty" jsonschema_description:"for one person: 20 TON per month"`
		Campaign    map[string]rates   `yaml:"campaign,omitempty" jsonschema_description:"for each campaign by name, and * for the others"`
		Label       map[string]rates   `yaml:"label,omitempty" jsonschema_description:"for each label with its value: season=winter, season=*"`
		Asset       rates              `yaml:"asset,omitempty" jsonschema_description:"in each money, whatever it is for"`
		NewGrants   int                `yaml:"new_grants,omitempty" jsonschema:"minimum=1" jsonschema_description:"keys that one apply buys for the first time"`
		Increase    int                `yaml:"increase,omitempty" jsonschema:"minimum=1" jsonschema_description:"times what the same recipient had before"`
		Slippage    string             `yaml:"slippage,omitempty" jsonschema:"pattern=^[0-9]{1\\,3}(\\.[0-9]{1\\,2})?%$" jsonschema_description:"by which an offer may be above the plan's price: 5%"`
		Balance     amounts            `yaml:"balance,omitempty" jsonschema_description:"what stays in the wallet"`
		Duplicates  string             `yaml:"duplicates,omitempty" jsonschema:"enum=deny,enum=warn" jsonschema_description:"deny stops a plan in which a gift looks like another one; warn, as without it, says so"`
	}
	address   string
	addresses struct{}
	alive     struct{}
	chat      struct{}
	kinds     struct{}
	slack     struct{}
	amounts   struct{}
	command   struct{}
	keySource string
	paths     struct{}
	rates     struct{}
	sum       string
	record    struct{}
	walletKey struct{}
)

const (
	anAmount = `^[0-9]+(\.[0-9]+)? ([Tt][Oo][Nn]|[Gg][Rr][Aa][Mm]|[Uu][Ss][Dd][Tt])$`
	aRate    = `^[0-9]+(\.[0-9]+)? ([Tt][Oo][Nn]|[Gg][Rr][Aa][Mm]|[Uu][Ss][Dd][Tt])( per (day|month))?$`
)

func (address) JSONSchema() *jsonschema.Schema { return text(`^[A-Za-z0-9_+/:=-]{48,69}$`) }
func (addresses) JSONSchema() *jsonschema.Schema {
	return one(address("").JSONSchema(), many(address("").JSONSchema()))
}
func (amounts) JSONSchema() *jsonschema.Schema { return one(text(anAmount), many(text(anAmount))) }
func (alive) JSONSchema() *jsonschema.Schema {
	return one(&jsonschema.Schema{Type: "null"}, reflector().Reflect(struct {
		Private bool      `yaml:"private,omitempty"`
		Hook    keySource `yaml:"hook,omitempty" jsonschema_description:"where the address is; FRAGPLAN_ALIVE_HOOK if nothing is written"`
	}{}))
}
func (slack) JSONSchema() *jsonschema.Schema {
	return one(&jsonschema.Schema{Type: "null"}, reflector().Reflect(struct {
		told
		Hook keySource `yaml:"hook,omitempty" jsonschema_description:"where the address is; FRAGPLAN_SLACK_HOOK if nothing is written"`
	}{}))
}
func (chat) JSONSchema() *jsonschema.Schema {
	return one(text(`^(-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{3,31})$`), &jsonschema.Schema{Type: "integer"})
}
func (kinds) JSONSchema() *jsonschema.Schema {
	kind := &jsonschema.Schema{Type: "string"}
	for _, k := range spec.NoticeKinds {
		kind.Enum = append(kind.Enum, k)
	}
	return one(kind, many(kind))
}
func (command) JSONSchema() *jsonschema.Schema { return one(text(`.`), many(text(``))) }
func (keySource) JSONSchema() *jsonschema.Schema {
	return text(`^(env:\s*[A-Za-z_][A-Za-z0-9_]*|(file|age):.*\S.*)\s*$`)
}
func (rates) JSONSchema() *jsonschema.Schema { return one(text(aRate), many(text(aRate))) }
func (sum) JSONSchema() *jsonschema.Schema   { return text(anAmount) }
func (paths) JSONSchema() *jsonschema.Schema { return one(text(`.`), many(text(`.`))) }
func (record) JSONSchema() *jsonschema.Schema {
	return one(text(`^([^\\:]+|postgres(ql)?://.+)$`), reflector().Reflect(recordFields{}))
}
func (walletKey) JSONSchema() *jsonschema.Schema {
	return one(text(`^(env:\s*[A-Za-z_][A-Za-z0-9_]*|(file|age|exec):.*\S.*)\s*$`), reflector().Reflect(struct {
		Exec command `yaml:"exec" jsonschema_description:"program and arguments"`
	}{}))
}

// JSONSchemaExtend: a ceiling names an item, and a wallet is paid by one signer.
func (bounds) JSONSchemaExtend(s *jsonschema.Schema) {
	price, _ := s.Properties.Get("price")
	price.PropertyNames = text(`^\s*([1-9][0-9]{0,8}\s+[Ss][Tt][Aa][Rr][Ss]|[Pp][Rr][Ee][Mm][Ii][Uu][Mm]\s+(3|6|12)\s+[Mm][Oo][Nn][Tt][Hh][Ss])\s*$`)
}

// The schema of fragplan.yaml is what the Go types say.
func TestProjectSchemaIsMadeFromTheTypes(t *testing.T) {
	s := reflector().Reflect(mainShape{})
	s.Title = "fragplan.yaml"
	sessions, _ := s.Properties.Get("sessions")
	sessions.PropertyNames = text(name)
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want := string(b) + "\n"
	if *update {
		if err := os.WriteFile("schema_project.json", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if d := cmp.Diff(want, string(spec.ProjectSchema)); d != "" {
		t.Errorf("go test ./spec -run Schema -update makes it anew: %s", d)
	}
}

// judges returns how an independent validator reads the two schemas.
func judges(t *testing.T) (main, members func(string) error) {
	t.Helper()
	return judge(t, spec.ProjectSchema), judge(t, spec.Schema)
}

// What Load takes of every project in the scripts, examples and this room's
// tests, the schemas take too.
func TestSchemasTakeWhatLoadTakes(t *testing.T) {
	judgeMain, judgeMembers := judges(t)
	scripts, err := filepath.Glob("../cmd/fragplan/testdata/*.txtar")
	if err != nil || len(scripts) < 50 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	var folders []string
	for _, name := range scripts {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := txtar.Write(a, dir); err != nil {
			continue // files whose names only the script's environment knows
		}
		folders = append(folders, dir)
	}
	examples, _ := filepath.Glob("../examples/*/fragplan.yaml")
	for _, name := range examples {
		folders = append(folders, filepath.Dir(name))
	}
	projects := 0
	for i, dir := range folders {
		p, err := spec.Load(dir)
		if err != nil {
			continue // what is wrong on purpose, or complete only later
		}
		projects++
		for _, file := range p.Files {
			if filepath.Ext(file) == ".csv" {
				continue
			}
			b, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				t.Fatal(err)
			}
			f := judgeMembers
			if file == spec.MainFile {
				f = judgeMain
			}
			if err := f(string(b)); err != nil {
				where := dir
				if i < len(scripts) {
					where = scripts[i]
				}
				t.Errorf("%s: %s: %v", where, file, err)
			}
		}
	}
	if projects < 30 {
		t.Errorf("only %d projects", projects)
	}
}

// What the schema of fragplan.yaml refuses, Load refuses too.
func TestProjectSchemaAgreesWithLoad(t *testing.T) {
	judgeMain, _ := judges(t)
	main := strings.ReplaceAll(mainFile, "ADDRESS", wallet.String())
	if err := judgeMain(main); err != nil {
		t.Fatal(err)
	}
	all := strings.Replace(main, "order: ", `day: 40 TON
  person: [20 TON per month, 100 TON]
  campaign: {winter: 100 TON, "*": 50 TON per month}
  label: {season=winter: 80 TON, "season=*": 40 TON per day}
  asset: [2000 TON, 500 USDT]
  new_grants: 20
  increase: 5
  slippage: 0.25%
  balance: 10 TON
  duplicates: deny
  order: `, 1)
	if _, err := spec.Load(project(t, "fragplan.yaml", all)); err != nil {
		t.Error(err)
	}
	if err := judgeMain(all); err != nil {
		t.Error(err)
	}
	for _, change := range [][2]string{
		{"version: 1", "version: 2"}, {"version: 1", "version: \"1\""}, {"v5r1", "v3r2"}, {"order: ", "ordr: "}, {"limits:", "limit:"},
		{"files:", "filse:"}, {"order: ", "slippage: 5, order: "}, {"order: ", "new_grants: 0, order: "}, {"order: ", "duplicates: no, order: "}, {"order: ", "person: 5 TON per week, order: "}, {"20 TON", "20"}, {"20 TON", "20 EUR"}, {"100 stars", "a hundred stars"}, {"premium 3 months", "premium 4 months"},
		{"version: 1", "version: 1\nsessions: {a: the-cookie}"}, {"version: 1", "version: 1\npay_with: euro"}, {"version: 1", "version: 1\ngrants: {}"},
		{"version: v5r1", "version: v5r1, signer: {timeout: 5s}"}, {"version: v5r1", "version: v5r1, key: [a]"},
	} {
		bad := strings.Replace(main, change[0], change[1], 1)
		if bad == main {
			t.Errorf("nothing to change for %q", change)
			continue
		}
		if judgeMain(bad) == nil {
			t.Errorf("the schema takes %q", change[1])
		}
		if _, err := spec.Load(project(t, "fragplan.yaml", bad)); err == nil {
			t.Errorf("Load takes %q", change[1])
		}
	}
}

// Package spec reads the desired state: a folder of YAML in, checked and named
// values out, each with its file, line and column.
//
// It knows nothing of what was bought already, and reaches neither the network
// nor anything outside the project's folder.
package spec

import (
	"crypto/ed25519"
	"time"

	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
	"github.com/fragplan/fragplan/schedule"
	"github.com/fragplan/fragplan/ton"
)

// MainFile is the file in a project's folder from which reading starts.
const MainFile = "fragplan.yaml"

// DefaultLedger is where the ledger stands if the project doesn't say.
const DefaultLedger = ".fragplan/ledger.db"

// A Project is a folder that was read and found sound.
type Project struct {
	Dir          string   // the folder, as Load was given it
	Files        []string // what was read, relative to Dir, with slashes
	Wallet       Wallet
	Ledger       Ledger
	Limits       policy.Limits
	PlanExpiry   time.Duration  // for which a saved plan is good
	Timezone     *time.Location // whose clocks say when a day begins
	Sessions     []Session      // at Fragment, in the order of the file; empty: the environment's own
	Notices      Notices        // where people are told what became of a run
	Destinations []ton.Address  // accounts that may be paid; empty means the built-in list
	People       []Person       // in the order of the files
	Groups       []Group        // in the order of the files
	Grants       []Grant        // in the order of the files
	Edits        Edits          // what is said of the past of keys
	Warnings     []Diagnostic   // what is sound and worth a look
}

// A Wallet says which account pays, and who signs for it.
type Wallet struct {
	Version   ton.WalletVersion
	Address   ton.Address
	PublicKey ed25519.PublicKey // nil if it isn't written
	Key       KeySource         // where the words are; zero: the environment's own variables
	Signer    Program           // which signs in the place of a key; zero: none
	Pos       Pos
}

// A Session is one of several in which purchases are made.
type Session struct {
	Name   string    `yaml:"session" validate:"name"`
	Source KeySource `validate:"-"` // of its cookies
	Pos    Pos       `validate:"-"`
}

// A KeySource says where the wallet's words, or other secrets, are. They never
// stand in YAML.
type KeySource struct {
	Kind    string   // env, file, age or exec; "" if nothing is written
	Name    string   // of the variable or the file
	Command []string // program and arguments, of exec
}

// A Program is one that fragplan runs, without a shell.
type Program struct {
	Command []string // program and arguments
	Timeout time.Duration
}

// A Person is somebody listed under people. Handles are in lower case and
// without "@".
type Person struct {
	ID     string   `yaml:"id" validate:"name"`
	Handle string   `validate:"-"`
	Was    []string `validate:"-"`
	Note   string   `yaml:"note" validate:"max=500"`
	Pos    Pos      `validate:"-"`
}

// A Grant gives an item to each of its recipients.
type Grant struct {
	Name   string       `yaml:"name" validate:"name"`
	Item   product.Item `validate:"-"` // a total; Item.Parts says in which purchases
	To     []Recipient  `validate:"-"`
	Single bool         `validate:"-"` // one prize: to is a scalar, so another person there isn't another prize
	Reason string       `yaml:"reason" validate:"max=500"`
	Labels []Label      `validate:"-"`
	Double string       `validate:"-"` // why it may look like another gift, or a person stand twice in its table
	Pos    Pos          `validate:"-"`

	On         schedule.Date `validate:"-"` // the day on which it is given once; zero for at once
	Rule       schedule.Rule `validate:"-"` // of a grant that recurs; zero for what is given once
	CatchUp    CatchUp       `validate:"-"` // of a grant that recurs
	MaxCatchUp int           `validate:"-"` // with CatchAll: so many dates, or none
	Wait       int           `validate:"-"` // days that Premium waits for one that runs; 0 for no end

	PayWith ton.Asset `validate:"-"` // the money that pays; "" is TON
}

// A Recipient is one member of a grant.
type Recipient struct {
	Person string   // the id under people, or "@handle" of somebody who isn't listed
	Handle string   // in lower case, without "@"
	Was    []string `validate:"-"` // earlier handles
	Pos    Pos      `validate:"-"`

	Group        string        // through which it is a recipient; "" for none
	Since, Until schedule.Date // the days of which the recipient has a part; zero for no end

	Row    string       // of a CSV file: its key; "" for others
	Item   product.Item // what the row gives; zero for what the grant gives
	Reason string       // of the row; "" for the grant's

	Confirmed string `validate:"-"` // the display name that stands under confirmed, or ""
}

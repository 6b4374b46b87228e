// Package spec reads the desired state: a folder of YAML in, checked and named
// values out, each with its file, line and column.
//
// It knows nothing of what was bought already, and reaches neither the network
// nor anything outside the project's folder.
package spec

import (
	"cmp"
	"crypto/ed25519"
	"time"

	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/product"
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
	Sessions     []Session     // at Fragment, in the order of the file; empty: the environment's own
	Destinations []ton.Address // accounts that may be paid; empty means the built-in list
	People       []Person      // in the order of the files
	Groups       []Group       // in the order of the files
	Grants       []Grant       // in the order of the files
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
	Pos    Pos          `validate:"-"`
}

// A Recipient is one member of a grant.
type Recipient struct {
	Person string   // the id under people, or "@handle" of somebody who isn't listed
	Handle string   // in lower case, without "@"
	Was    []string `validate:"-"` // earlier handles
	Pos    Pos      `validate:"-"`

	Row    string       // of a CSV file: its key; "" for others
	Item   product.Item // what the row gives; zero for what the grant gives
	Reason string       // of the row; "" for the grant's

	Confirmed string `validate:"-"` // the display name that stands under confirmed, or ""
}

// An Occurrence is one thing that one person is to have. Its Key is its name
// for ever.
type Occurrence struct {
	Key    string // "best-meme/ann", "promo/@our_channel", "runners-up/17" for a row
	Grant  string
	Person string // the id under people, or "@handle"
	Handle string // in lower case, without "@"
	Was    []string
	Item   product.Item
	Single bool
	Reason string
	Labels []Label
	Pos    Pos // of the recipient

	Confirmed string // the display name that somebody has found to be this person's, or ""
}

// Occurrences lists what everybody is to have, in the order of the files. No
// two have the same Key.
func (p *Project) Occurrences() []Occurrence {
	n := 0
	for _, g := range p.Grants {
		n += len(g.To)
	}
	list := make([]Occurrence, 0, n)
	for _, g := range p.Grants {
		for _, r := range g.To {
			list = append(list, Occurrence{
				Key: g.Name + "/" + cmp.Or(r.Row, r.Person), Grant: g.Name, Person: r.Person, Handle: r.Handle, Was: r.Was,
				Item: g.item(r), Single: g.Single, Reason: cmp.Or(r.Reason, g.Reason), Labels: g.Labels, Pos: r.Pos, Confirmed: r.Confirmed,
			})
		}
	}
	return list
}

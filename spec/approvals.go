package spec

import (
	"slices"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/fragplan/fragplan/policy"
	"github.com/fragplan/fragplan/ton"
)

// DefaultExpiry is how long a saved plan is good if the project doesn't say.
const DefaultExpiry = 24 * time.Hour

const (
	exampleApprovals = "approvals: {signers: allowed_signers, quorum: [{above: 0 TON, count: 1}, {above: 50 TON, count: 2}]}"
	maxSigners       = 20
)

// plans reads how long a saved plan is good.
func (l *loader) plans(d *doc, e entry) {
	const example = "plans: {expire: 24h}"
	for _, f := range d.mapping(e.value, "plans", "write "+example) {
		if f.name != "expire" {
			d.unknown(f.key, "plans", "expire")
			continue
		}
		s, ok := d.text(f.value, "plans.expire", "24h")
		t, err := time.ParseDuration(s)
		if ok && (err != nil || t < time.Minute || t > 30*24*time.Hour) {
			d.bad(f.value, "plans", "write 1m to 720h, such as 24h", "plans.expire is not a time for which a plan can be good")
			continue
		}
		l.p.PlanExpiry = t
	}
}

// approvals reads who signs plans, and how many of them must.
func (l *loader) approvals(d *doc, e entry) {
	a := policy.Approvals{Signers: "allowed_signers"}
	seen := map[string]bool{}
	for _, f := range d.mapping(e.value, "approvals", "write "+exampleApprovals) {
		seen[f.name] = true
		switch f.name {
		case "signers":
			s, ok := d.text(f.value, "approvals.signers", "allowed_signers")
			if !ok {
				continue
			}
			if _, err := l.folder.read(s); err != nil {
				l.notRead(d.pos(f.value), err, "it is the file of git's gpg.ssh.allowedSignersFile: one line a person, ann@example.org ssh-ed25519 AAAA…")
				continue
			}
			a.Signers = s
		case "quorum":
			a.Quorum = d.quorum(f.value)
		default:
			d.unknown(f.key, "approvals", "signers", "quorum")
		}
	}
	if e.value.Kind == yaml.MappingNode {
		d.require(e.value, "approvals", seen, [][2]string{{"signers", "signers: allowed_signers"}, {"quorum", "quorum: [{above: 0 TON, count: 1}]"}})
	}
	l.p.Limits.Approvals = &a
}

func (d *doc) quorum(n *yaml.Node) (list []policy.Quorum) {
	const example = "quorum: [{above: 0 TON, count: 1}]"
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		d.bad(n, "type", "write "+example, "quorum must be a list with at least one amount")
		return nil
	}
	for _, m := range n.Content {
		var q policy.Quorum
		seen := map[string]bool{}
		for _, f := range d.mapping(m, "a quorum", "write "+example) {
			seen[f.name] = true
			switch f.name {
			case "above":
				if s, ok := d.text(f.value, "above", "above: 50 TON"); ok {
					var err error
					if q.Above, err = ton.ParseAmount(s); err != nil {
						d.bad(f.value, "amount", "write for example above: 50 TON", "above: %v", clipError(err))
					}
				}
			case "count":
				v := d.atLeastOne(f.value, "count", "2")
				if v > maxSigners {
					d.bad(f.value, "number", "write fewer", "count is more than %d", maxSigners)
				}
				q.Count = int(v)
			default:
				d.unknown(f.key, "a quorum", "above", "count")
			}
		}
		d.require(m, "a quorum", seen, [][2]string{{"above", "above: 0 TON"}, {"count", "count: 1"}})
		if slices.ContainsFunc(list, func(o policy.Quorum) bool { return o.Above == q.Above }) {
			d.bad(m, "duplicate", "take one of them out", "quorum says twice what is needed above %s", q.Above)
		}
		list = append(list, q)
	}
	return list
}

// Package reconcile plans and applies: [Desired.Diff] compares what people want
// with what the ledger says was given, and [State.Step] decides, event by event,
// how the difference is bought exactly once. [Apply] carries its decisions out
// through five sockets: [Ledger], [Market], [Signer], [Chain], and [Till], which
// asks a person to pay.
//
// It does no input or output of its own, reads no clock and signs nothing.
//
// # How a plan is made
//
// desired.go has what people want and what they say of the past of keys: moves.go
// gives keys other names, statement.go takes what was given otherwise, import.go
// what was bought without fragplan. diff.go decides of each key (dates.go of those
// that recur), rename.go finds keys that were paid under another name, and
// alike.go what looks like something else. judge.go then asks, line by line, the
// limits that depend on what was bought before and when: for whom it counts
// (budget.go, campaign.go), whose first gift it is (identity.go), what a team
// demands beside that (rules.go). worst.go says what can leave the wallet at most.
//
// A plan (plan.go, prices.go) may be narrowed (narrow.go), saved and compared with
// a later day (saved.go, stale.go). For people there is more to read: why a key
// comes out as it does (explanation.go), what they want to know beside a plan
// (background.go), what the coming months cost (forecast.go).
//
// # The life of an apply
//
// begin.go looks at every wallet, has what an earlier run left open settled first,
// and reserves budgets. quote.go asks for offers and has the firewall decode them;
// identity.go compares whom they show with whom they showed before. pay.go puts
// offers into one message, emulates it, arms it in the ledger, and only then has it
// signed and sent; hand.go hands it to a person instead. settle.go concludes from
// the proven history alone what became of it, and stops everything if that history
// holds what the ledger can't explain (explainer.go); of USDT, usdt.go and trace.go
// follow what left to where it arrived. deliver.go tells the market and asks
// whether the goods were handed over, by its lists too (history.go, astray.go).
// burn.go cancels a payment, bounce.go holds what came back. step.go leads from
// one to the next, effects.go names what it may want done.
//
// Every Step is one turn: an [Event] comes in, [Effect] values go out, and
// those that follow a [Record] begin only when its events are durable. Any turn
// may be the last before a crash; applying again is the whole recovery. shell.go
// is the only file that carries anything out, through the sockets of sockets.go.
//
// # When a ledger was lost, or is doubted
//
// takein.go takes in what the chain shows and the ledger does not know,
// recognize.go says whom it was for where the market's lists leave no doubt, and
// audit.go compares a history with a ledger, both ways.
package reconcile

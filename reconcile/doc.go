// Package reconcile plans and applies: [Diff] compares what people want with
// what the ledger says was given, and [State.Step] decides, event by event,
// how the difference is bought exactly once. [Apply] carries its decisions out
// through four sockets: [Ledger], [Market], [Signer] and [Chain].
//
// judge.go asks the limits that depend on what was bought before and when, and
// rules.go what a team demands beside them; narrow.go leaves lines out of a plan,
// and stale.go says why a saved one no longer holds.
//
// dates.go says which dates of grants that recur are bought; rename.go finds
// keys that were paid under another name.
//
// It does no input or output of its own, reads no clock and signs nothing.
//
// # The life of an apply
//
// The files follow it. begin.go looks at every wallet, has what an earlier run
// left open settled first, and reserves budgets (budget.go). quote.go asks for
// offers and has the firewall decode them. pay.go puts offers into one message,
// emulates it, arms it in the ledger, and only then has it signed and sent.
// settle.go concludes from the proven history alone what became of it, and
// stops everything if that history holds what the ledger can't explain.
// deliver.go tells the market and asks whether the goods were handed over.
// burn.go cancels a payment, bounce.go holds what came back. step.go leads from
// one to the next. verdict.go takes apart, for a person who asks, what Diff
// decided of one key.
//
// Every Step is one turn: an [Event] comes in, [Effect] values go out, and
// those that follow a [Record] begin only when its events are durable. Any turn
// may be the last before a crash; applying again is the whole recovery.
package reconcile

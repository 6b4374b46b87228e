// Package reconcile plans and applies: [Diff] compares what people want with
// what the ledger says was given, and [State.Step] decides, event by event,
// how the difference is bought exactly once. [Apply] carries its decisions out
// through four sockets: [Ledger], [Market], [Signer] and [Chain].
//
// It does no input or output of its own, reads no clock and signs nothing.
package reconcile

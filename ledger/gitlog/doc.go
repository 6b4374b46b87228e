// Package gitlog keeps a ledger's log on a branch of a git repository, so that
// it outlives the machine that wrote it: records are pushed, without force,
// before anything that relies on them leaves the machine.
//
// It decides nothing about orders and payments, and keeps no tables: those are
// rebuilt from the log into a local store, which the caller brings.
//
// # What stands on the branch
//
// One file a push, log/<thousand>/<first number>.jsonl, with a record a line;
// no push changes an earlier file. A commit's parent is the commit before it,
// so a server takes a push only if nobody else has pushed since: of two runs
// at once one wins, and the other one's push is refused. That refusal, and not
// a lock, is what everything rests on.
//
// # Encryption
//
// With recipients, each file is encrypted to them by age before git sees it, and
// has .age behind its name; what was pushed before stays as it is, so a branch
// may hold both. It hides the records. It doesn't say who wrote them, since
// recipients are public: whoever may push can put a whole other log in the place
// of ours. What can't be done without the identity is to continue ours, whose
// last hash stands in no plain text.
//
// # When a push's outcome is unknown
//
// The branch is read again. If our commit stands there, it was taken. If the
// branch stands where it stood, it was not, and is tried again. If anything
// else stands there, another run has won: this one may rely on nothing that it
// recorded since its last push, and none of that has left the machine. Which
// records those are is remembered in this repository, so that the local store can
// be told from one that was used without the branch.
package gitlog

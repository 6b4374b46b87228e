// Package ledger is the life of an order and of a payment: their phases, the
// events that move them, who may follow whom, and what the chain's evidence
// means for them. It is the memory of what was paid.
//
// It is pure: it opens no file and knows no network. A store (package
// ledger/sqlite or ledger/postgres) keeps its events durably; the engine folds
// the same events into a [State].
//
// # Phases
//
//	Order    reserved ─▶ quoted ─▶ armed ─▶ paid ─▶ acknowledged ─▶ delivered
//	             │  ▲       │        │        └────────────┴───────────┴──▶ held
//	             │  └───────┘        │ dead: back to reserved               │
//	             └──────────┴────────┴──▶ released                          │
//	                                         ▲                              │
//	                                         └── a person says so ──────────┴─▶ delivered
//
//	                             armed ─▶ sent ─▶ paid      of an order that is paid in USDT
//	                                        └───▶ held
//
//	         quoted ─▶ offered ─▶ paid or sent ─▶ …  in the place of armed, if a person pays
//	                      └──▶ released              only a person says so
//
//	Payment  armed ─▶ signed ─▶ executed
//	            └────────┴────▶ dead
//
// With TON, a transfer that stands in the wallet's own transaction has arrived:
// the order is paid. With USDT, the same transaction only asks the wallet's
// jetton wallet to send, and looks perfect when that one refuses, for want of
// USDT or of gas. So the order is sent, and the proven histories of both jetton
// wallets say which ([ReceiptOf]): paid once the receiver's has taken exactly
// the sum of exactly this transfer, held once one of them has refused it. As
// long as neither is proven it stays sent: it counts as given, is asked about
// again by every run, and is never bought again by itself.
//
// What a person is asked to pay with a wallet application is offered in a
// [Request]. It is settled by its transfer in the chain alone, and ended without
// one by a person alone.
//
// An order that was handed over and is listed for somebody else is held with
// the row that says so.
//
// A payment may be given a [Burn]; whichever of the two takes the seqno decides.
// What stands in the chain and in no payment is noted as explained, and a
// transfer of it to Fragment is a [Found]: an order once it is known for whom.
//
// A key may be moved to another name with all that is recorded of it; the log
// keeps the names under which it was written, the state speaks of the newest
// alone. What was given to a key by other means is a [Settlement].
//
// Of grants that recur it also keeps each [Rule], since the day on which it was
// first acted upon.
//
// # What is durable before which effect
//
// An event is appended before anything that relies on it happens. What may be
// true of the world while an event is the newest on disk:
//
//	order reserved             nothing happened
//	order quoted               an unpaid request exists at Fragment; harmless
//	person pinned              nothing more: it stands with the offer whose answer it was
//	payment requested          paid, not yet paid, or never to be paid, by somebody's hand
//	request paid               paid once; USDT as below
//	payment armed              as signed: a signer outside may hold a signature that we never saw
//	payment signed             paid, not yet paid, or never to be paid
//	payment executed or dead   known: the chain's transaction, or the certificate
//	order sent                 its USDT is on the way, arrived or came back; proven later
//	order paid                 paid once
//	order acknowledged         Fragment knows of the payment
//	order delivered            done
//
// An order that is paid is never bought again by the program. An armed payment
// is never replaced: its bytes are broadcast again until the chain decides.
package ledger

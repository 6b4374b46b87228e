// Package fragment is a client for the HTTP API behind fragment.com: it finds
// recipients, asks prices, orders Telegram Stars, Premium and top-ups of a
// Telegram balance, reports payments, and lists what was bought.
//
// It neither signs nor broadcasts: [Client.Buy] returns the transfer that
// Fragment asks for, the caller pays it from the wallet that is connected to
// the session, and [Client.Confirm] tells Fragment so.
//
// # Order of calls
//
//	Search ─▶ Price ─▶ Buy ─▶ (sign, record, broadcast) ─▶ Confirm ─▶ State … until Done
//
// Buy searches by itself; Search and Price serve those who want to look
// before. An order that was made and isn't paid costs nothing. [Client.History]
// lists what the session's account has bought.
//
// # Errors
//
// The failure of a call is an [*Error]: the method, the status, the server's own
// words, and a kind that [errors.Is] finds ([ErrNoRecipient] to [ErrBadAnswer]).
// Where the caller is wrong nothing was sent, and the error is no [*Error]:
// [ErrProduct], [ErrPurchase], [ErrAsset], and [ErrQuantity] for what is never
// sold. Only calls that do no harm are repeated when the service is away; a link
// and a confirmation aren't, but are sent again where the service refused them
// for a stale hash. What reads texts without a call has errors of its own:
// [ErrPayload], [ErrAmount], [ErrCookies], [ErrNoCredentials].
//
// # Credentials
//
// A session is the Cookie header of a browser that is logged in at
// fragment.com with a wallet connected. Whoever holds it acts in that session,
// so it is a [Secret]. It can't spend from the wallet.
package fragment

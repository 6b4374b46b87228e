package ledger

// The kinds of evidence that an order was delivered, as its record keeps them.
const (
	EvidencePage   = "page"   // Fragment's page said that everything bought in the session has been handed over
	EvidencePerson = "person" // a person said so
)

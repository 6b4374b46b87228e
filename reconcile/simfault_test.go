package reconcile_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/fragplan/fragplan/ton"
)

// A fault is one way in which the world misbehaves.
type fault int

// The faults, by who misbehaves.
const (
	// The process.
	crashes fault = iota
	crashesBeforeWriting
	crashesAfterWriting
	isInterrupted
	runsTwice
	effectOutlivesProcess
	answerComesTwice
	savedPlan

	// The ledger's file.
	diskFull
	commitUnknown
	writeFails
	recordFlipped
	pageTorn
	ledgerRestored
	ledgerRestoredWhileRunning
	ledgerLost

	// The chain.
	messageDropped
	messageDelayed
	messageOnTheBrink
	messageOfferedAgain
	messageAddedTwice
	chainStalls
	chainJumps
	storageFees
	seqnoTaken
	seqnoRelayed
	actionFails
	drained
	boughtByHand
	paidTwiceByHand
	bounces
	bouncesLate
	bouncesShort
	freezes
	codeChanged
	toppedUp
	dust
	jettonLate
	purseRefuses
	tillRefuses
	purseLocked
	usdtStolen
	usdtToppedUp
	strangerAsks
	strangerDelivers
	othersPayAlike

	// The lite servers.
	lookFails
	lookForged
	historyCut
	lookIsStale
	waitFails
	emulationFails
	emulationForged
	emulationIsStale
	balanceFails
	balanceForged
	balanceIsStale
	trailFails
	trailForged
	trailCut
	trailIsStale

	// The market.
	quoteRefused
	quoteFails
	quoteAskedTwice
	priceAboveCap
	amountWrong
	destinationWrong
	itemWrong
	refReused
	refMalformed
	senderWrong
	assetWrong
	unitsWrong
	ownerWrong
	responseWrong
	itemWrongUSDT
	purseWrong
	gasShort
	gasMuch
	queryReused
	offerEndsSoon
	offerEnded
	confirmLost
	confirmAnswerLost
	confirmNever
	deliveryUnknown
	deliveryLate
	listFails
	rowLate
	rowMissing
	rowRepeated
	rowUnreadable
	rowsReordered

	personChanged
	personSwapped

	// The signer.
	signerFails
	signerFailsAfterSigning
	signerDown
	signerHasWrongKey
	signatureWrong
	signsAnother
	signsTwice

	// People.
	wantEdited
	keyRenamed
	keyMoved
	keySettled
	handleChanged
	paymentCancelled
	askedByHand
	handFails
	phonePays
	phonePaysPart
	keyReissued
	assignedWrongly
	personWaits

	faultCount
)

// faults names each fault and says how often it happens at most, in ten
// thousand of its occasions.
var faults = [faultCount]struct {
	name string
	most int
}{
	crashes:               {"a process dies", 120},
	crashesBeforeWriting:  {"a process dies before a commit", 500},
	crashesAfterWriting:   {"a process dies after a commit", 500},
	isInterrupted:         {"a person interrupts", 40},
	runsTwice:             {"a second process takes the ledger over", 40},
	effectOutlivesProcess: {"an effect outlives its process", 5000},
	answerComesTwice:      {"an answer comes twice", 300},
	savedPlan:             {"a plan is applied that was saved earlier", 4000},

	diskFull:                   {"the disk is full", 600},
	commitUnknown:              {"a commit ends in an error and stands", 200},
	writeFails:                 {"the disk can't be written", 300},
	recordFlipped:              {"a bit of a record flips", 800},
	pageTorn:                   {"a page is torn in the midst of a record", 800},
	ledgerRestored:             {"an old ledger is restored", 2500},
	ledgerRestoredWhileRunning: {"an old ledger is restored beside a running process", 30},
	ledgerLost:                 {"the ledger is lost", 1200},

	messageDropped:      {"a message is dropped", 5000},
	messageDelayed:      {"a message is delayed", 5000},
	messageOnTheBrink:   {"a message is included just before its end", 2000},
	messageOfferedAgain: {"an old message is offered again", 3000},
	messageAddedTwice:   {"a message is added twice", 2000},
	chainStalls:         {"the chain's time stands still", 3000},
	chainJumps:          {"the chain's time jumps", 500},
	storageFees:         {"storage fees fall due", 1500},
	seqnoTaken:          {"a message without transfers takes the seqno", 300},
	seqnoRelayed:        {"a message that another account brings takes the seqno", 1000},
	actionFails:         {"a v4r2 action phase fails and rolls the seqno back", 2000},
	drained:             {"somebody with the key drains the wallet", 60},
	boughtByHand:        {"somebody buys by hand", 100},
	paidTwiceByHand:     {"somebody pays by hand what is paid", 3000},
	bounces:             {"a transfer bounces", 1500},
	bouncesLate:         {"a bounce comes late", 5000},
	bouncesShort:        {"a bounce loses much on its way", 2000},
	freezes:             {"the account is frozen for a while", 60},
	codeChanged:         {"the account has other code for a while", 60},
	toppedUp:            {"the wallet is topped up", 300},
	dust:                {"the wallet is sent dust, often", 60},
	jettonLate:          {"a message between jetton wallets is late", 3000},
	purseRefuses:        {"the wallet's jetton wallet refuses a transfer", 1500},
	tillRefuses:         {"the market's jetton wallet refuses a transfer", 1500},
	purseLocked:         {"the wallet's USDT is locked for a while", 60},
	usdtStolen:          {"somebody with the key sends the wallet's USDT away", 60},
	usdtToppedUp:        {"the wallet is sent USDT", 300},
	strangerAsks:        {"a stranger asks the wallet's jetton wallet for the same", 2000},
	strangerDelivers:    {"a stranger shows the market's jetton wallet the same", 2000},
	othersPayAlike:      {"somebody else pays the market in USDT, perhaps as much", 500},

	lookFails:        {"a server can't be read", 3000},
	lookForged:       {"a server forges the wallet's state", 1500},
	historyCut:       {"a server cuts the wallet's history", 1500},
	lookIsStale:      {"a server is behind", 5000},
	waitFails:        {"waiting for a block fails", 2000},
	emulationFails:   {"an emulation fails", 2000},
	emulationForged:  {"an emulation is of a state that is not proven", 1000},
	emulationIsStale: {"an emulation is behind", 3000},
	balanceFails:     {"the wallet's USDT can't be read", 2000},
	balanceForged:    {"a server forges the wallet's USDT", 1000},
	balanceIsStale:   {"a server is behind with the wallet's USDT", 5000},
	trailFails:       {"what became of USDT can't be read", 3000},
	trailForged:      {"a server forges what became of USDT", 1500},
	trailCut:         {"a server cuts the history of a jetton wallet", 1500},
	trailIsStale:     {"a server is behind with a jetton wallet", 5000},

	quoteRefused:      {"an order is refused", 1500},
	quoteFails:        {"the session ends", 600},
	quoteAskedTwice:   {"a request is made twice", 2000},
	priceAboveCap:     {"the price is above the cap", 1500},
	amountWrong:       {"an offer asks for another amount", 1000},
	destinationWrong:  {"an offer asks to pay a stranger", 1000},
	itemWrong:         {"an offer is for another item", 1000},
	refReused:         {"a ref is offered again", 2500},
	refMalformed:      {"a ref is malformed", 500},
	senderWrong:       {"an offer is for another wallet", 500},
	assetWrong:        {"an offer asks for another money", 800},
	unitsWrong:        {"an offer asks for another amount of USDT", 1000},
	ownerWrong:        {"an offer asks to send USDT to a stranger", 1000},
	responseWrong:     {"an offer sends what is left of the gas to a stranger", 1000},
	itemWrongUSDT:     {"an offer in USDT is for another item", 1000},
	purseWrong:        {"an offer asks another jetton wallet", 1000},
	gasShort:          {"an offer comes with too little gas", 1000},
	gasMuch:           {"an offer comes with too much gas", 1000},
	queryReused:       {"a query id is used again", 2000},
	offerEndsSoon:     {"an offer ends soon", 3000},
	offerEnded:        {"an offer has ended", 800},
	confirmLost:       {"a confirm call is lost", 4000},
	confirmAnswerLost: {"the answer to a confirm call is lost", 3000},
	confirmNever:      {"a payment is never acknowledged", 600},
	deliveryUnknown:   {"asking for the delivery fails", 4000},
	deliveryLate:      {"the delivery is late", 5000},
	listFails:         {"the list of purchases can't be read", 3000},
	rowLate:           {"a purchase is listed late", 4000},
	rowMissing:        {"a row is missing from the list", 1500},
	rowRepeated:       {"a row is listed twice", 3000},
	rowUnreadable:     {"a row is unreadable", 300},
	rowsReordered:     {"the rows are in no order", 5000},
	personChanged:     {"a person has another name or photo", 500},
	personSwapped:     {"a handle leads to somebody else", 300},

	signerFails:             {"the signer fails", 1500},
	signerFailsAfterSigning: {"the signer fails, and the signature leaks", 1500},
	signerDown:              {"the signer is down for a while", 500},
	signerHasWrongKey:       {"the signer has another key", 700},
	signatureWrong:          {"a signature is wrong", 700},
	signsAnother:            {"the signer signs another payload", 700},
	signsTwice:              {"the signer signs twice, and sends one itself", 1500},

	wantEdited:       {"what is wanted changes", 9000},
	keyRenamed:       {"a key is renamed", 600},
	keyMoved:         {"a key or a grant is moved", 1500},
	keySettled:       {"a key is said to be given otherwise", 800},
	handleChanged:    {"another user name is written for a key", 1500},
	paymentCancelled: {"a payment is cancelled", 7000},
	askedByHand:      {"a person is asked to pay", 4000},
	handFails:        {"a request can't be handed over", 2000},
	phonePays:        {"a person pays a request", 7000},
	phonePaysPart:    {"a person pays a part of a request", 4000},
	keyReissued:      {"a key is reissued", 1500},
	assignedWrongly:  {"a found transfer is assigned to the wrong key", 1500},
	personWaits:      {"a person waits an hour before anything is concluded", 9000},
}

// chance draws everything that happens in one seed, and counts it.
type chance struct {
	*rand.Rand
	weight  [faultCount]int // in ten thousand
	calm    bool            // no faults any more
	counter counters
}

// newChance draws the weights: some seeds are calm and some cruel, and most
// have some kinds of faults and not the others.
func newChance(seed uint64) *chance {
	c := &chance{Rand: rand.New(rand.NewPCG(seed, 0x667261676d656e74)), counter: counters{}}
	share := []int{0, 1, 2, 3, 5, 10}[c.IntN(6)] // of all faults, in tenths
	for f := range faults {
		if c.IntN(10) < share {
			c.weight[f] = 1 + c.IntN(faults[f].most)
		}
	}
	return c
}

// hit draws whether a fault happens now.
func (c *chance) hit(f fault) bool {
	if c.calm || c.weight[f] == 0 || c.IntN(10_000) >= c.weight[f] {
		return false
	}
	c.counter.add(faults[f].name)
	return true
}

// between draws a number, both ends included.
func (c *chance) between(low, high int) ton.Nano { return ton.Nano(low + c.IntN(high-low+1)) }

// counters say how often each thing happened.
type counters map[string]int

func (c counters) add(name string) { c[name]++ }

func (c counters) take(other counters) {
	for name, n := range other {
		c[name] += n
	}
}

// missing lists what should have happened and never did.
func (c counters) missing(expected []string) (names []string) {
	for _, name := range expected {
		if c[name] == 0 {
			names = append(names, name)
		}
	}
	return names
}

func (c counters) String() (s string) {
	for _, name := range slices.Sorted(maps.Keys(c)) {
		s += fmt.Sprintf("%10d  %s\n", c[name], name)
	}
	return s
}

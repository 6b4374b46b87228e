package market

import (
	"testing"

	"github.com/fragplan/fragplan/ton"
)

// A payment in USDT is byte for byte the one that Fragment was seen to build.
func TestJettonPayload(t *testing.T) {
	const sample = "te6ccgEBAgEAfgABqA-KfqVP885dhccidjC3GwgBCkiH8LM_zUu0afyGCTWJwX1mDjdlf2rMa9UoQlD4UHUAF1jLlcMomlo5RJTwl8jnDDdfdhc7EgQQWPqFQ9IjyLPCAwEASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNtOUpoWndBcFE"
	body := jettonTransfer{
		query: 0x4ff3ce5d85c72276, usdt: 750_000, to: Collector, forward: 1,
		response: ton.MustParseAddress("0:5d632e570ca26968e51253c25f239c30dd7dd85cec48104163ea150f488f22cf"),
		comment:  CommentCell(Comment(Stars, 50, "m9JhZwApQ")),
	}.cell()
	if got := EncodePayload(body, false); got != sample {
		t.Errorf("got %s, want %s", got, sample)
	}
	if got := ton.Hash(body.Hash()).String(); got != "12a26b6606aef0bbc435ac0a079cb52f73d86197bd46df262aba05cc0ff08832" {
		t.Errorf("hash %s", got)
	}
}

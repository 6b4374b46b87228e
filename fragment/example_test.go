package fragment_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/fragplan/fragplan/fragment"
	"github.com/fragplan/fragplan/ton"
)

// A session as a browser has it, and the wallet that is connected to it.
func Example() {
	credentials, err := fragment.FromEnv(os.Getenv)
	if errors.Is(err, fragment.ErrNoCredentials) {
		fmt.Println("log in first")
		return
	}
	client := &fragment.Client{
		Cookie: credentials.Cookie,
		Hash:   credentials.Hash,
		Wallet: fragment.Account{Address: ton.MustParseAddress("UQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOtFz")},
	}
	fmt.Printf("%T with cookie %q\n", client, client.Cookie)
}

func ExampleClient_Buy_stars() {
	site := newSite() // a local server; leave BaseURL empty for fragment.com
	defer site.Close()
	client := &fragment.Client{BaseURL: site.URL, Cookie: fragment.SecretOf("stel_ssid=…"), Wallet: fragment.Account{Address: ton.MustParseAddress(payer)}}

	ctx := context.Background()
	p, err := client.Buy(ctx, fragment.Stars, "@jane", 50)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("To %s: pay %v, ref %s\n", p.Recipient.Name, p.Price, p.Ref)

	signed := ton.BoC("…") // sign p.Transfer, record it, broadcast it
	fmt.Println("confirmed:", client.Confirm(ctx, p, signed) == nil)
	// Output:
	// To Jane & Co: pay 0.4609 TON, ref kpJ55h3BW
	// confirmed: true
}

func ExampleClient_Buy_premium() {
	site := newSite()
	defer site.Close()
	client := &fragment.Client{BaseURL: site.URL, Cookie: fragment.SecretOf("stel_ssid=…")}

	p, err := client.Buy(context.Background(), fragment.Premium, "jane", 3)
	if errors.Is(err, fragment.ErrAlreadyPremium) {
		fmt.Println("wait until it runs out")
		return
	}
	fmt.Printf("%q %v\n", p.Comment, err)
	// Output: "Telegram Premium for 3 months \n\nRef#3pWJtbdbu" <nil>
}

func ExampleClient_Buy_topUp() {
	site := newSite()
	defer site.Close()
	client := &fragment.Client{BaseURL: site.URL, Cookie: fragment.SecretOf("stel_ssid=…")}

	p, err := client.Buy(context.Background(), fragment.TopUp, "https://t.me/jane", 25)
	fmt.Println(p.Price, p.Ref, err)
	// Output: 25 TON k1zCEY1wx <nil>
}

// A purchase holds all that a signer needs who is somewhere else, and all that
// Confirm needs when the signature is back.
func ExamplePurchase() {
	site := newSite()
	defer site.Close()
	client := &fragment.Client{BaseURL: site.URL, Cookie: fragment.SecretOf("stel_ssid=…")}

	p, err := client.Buy(context.Background(), fragment.Stars, "jane", 50)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("to     ", p.Transfer.To)
	fmt.Println("amount ", fragment.FormatTON(p.Transfer.Amount))
	fmt.Println("body   ", p.Transfer.Body.Base64())
	fmt.Println("until  ", p.ValidUntil)

	// Later, maybe in another process:
	paid := fragment.Purchase{Product: p.Product, ConfirmMethod: p.ConfirmMethod, ConfirmParams: p.ConfirmParams}
	fmt.Println("confirm", client.Confirm(context.Background(), paid, ton.BoC("the signed message")))
	// Output:
	// to      UQCFJEP4WZ_mpdo0_kMEmsTgvrMHG7K_tWY16pQhKHwoOtFz
	// amount  0.4609
	// body    te6ccgEBAQEAJwAASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNrcEo1NWgzQlc=
	// until   1790552821
	// confirm <nil>
}

func ExampleComment() {
	// Fragment's request for 0.75 USDT; the text goes on with the jettons.
	body, err := ton.ParseBase64("te6ccgEBAgEAfgABqA-KfqVP885dhccidjC3GwgBCkiH8LM_zUu0afyGCTWJwX1mDjdlf2rMa9UoQlD4UHUAF1jLlcMomlo5RJTwl8jnDDdfdhc7EgQQWPqFQ9IjyLPCAwEASgAAAAA1MCBUZWxlZ3JhbSBTdGFycyAKClJlZiNtOUpoWndBcFE")
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := fragment.Comment(body)
	fmt.Printf("%q %s %v\n", text, fragment.RefID(text), err)
	// Output: "50 Telegram Stars \n\nRef#m9JhZwApQ" m9JhZwApQ <nil>
}

func ExampleParseTON() {
	n, err := fragment.ParseTON("0.0157") // as a float times 10⁹, cut off, it is one short
	fmt.Println(int64(n), fragment.FormatTON(n), err)
	// Output: 15700000 0.0157 <nil>
}

func ExampleDecodePayload() {
	p, err := fragment.DecodePayload("te6ccgEBAgEALQABTgAAAAAxMDAwMCBUZWxlZ3JhbSBTdGFycyAKClJlZiN6SWgwT0UxdgEAAmQ")
	fmt.Printf("%q %s %v\n", p.Comment, p.Ref, err)
	// Output: "10000 Telegram Stars \n\nRef#zIh0OE1vd" zIh0OE1vd <nil>
}

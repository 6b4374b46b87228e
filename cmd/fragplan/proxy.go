package main

import (
	"fmt"
	"net/url"
	"slices"
)

// envProxy names the proxy through which Fragment, the code host and those who
// are told are reached. HTTPS_PROXY and its kin count for nothing: whoever can
// set one of a machine's variables must not see where secrets go. The world of a
// rehearsal and private targets are on this machine or beside it, and are
// reached without it; TON and PostgreSQL speak no HTTP.
const envProxy = "FRAGPLAN_PROXY"

// proxy is the proxy, nil for none. It may hold a password, so no error holds it.
func (p *program) proxy() (*url.URL, error) {
	text := p.getenv(envProxy)
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
		return nil, fmt.Errorf("%s is no address of a proxy: write for example http://proxy.example.org:3128, or socks5://…", envProxy)
	}
	return u, nil
}

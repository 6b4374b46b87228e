// Package ton holds the value types of the TON blockchain: amounts, addresses,
// cells, transfers, the messages of the wallets that fragplan signs with, and
// transactions as they stand on the chain.
//
// It does no input or output, holds no keys and knows neither a clock nor a
// network; every function is a function of its arguments.
//
// # Units
//
// Amounts of the chain's coin are [Nano], integers of 10⁻⁹ TON. The coin was
// renamed from Toncoin to Gram in June 2026; the unit, the addresses and the
// contracts stayed. fragplan prints TON and reads both names.
package ton

// Package notify tells people what became of a run: by a Telegram bot, in
// Slack, or to a webhook, which can check who speaks. It can also knock at a
// service that raises the alarm when it hears nothing.
//
// It decides neither what is worth telling nor whether a run went well, and
// knows no plans and no ledgers.
package notify

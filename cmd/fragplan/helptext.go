package main

// longer is what the help of a command says below its one line.
var longer = map[string]string{
	"fragplan plan": `Compares the YAML with the ledger and asks today's prices. Buys nothing. Where
the chain can be asked and is ahead of the ledger, it says so.

With -out the plan is saved; fragplan apply FILE then buys just that, or
refuses if something else was bought meanwhile.

-target and -exclude name a key, a grant, thanks/* or a label such as
season=winter; what stops a plan is asked of the whole of it.

Exit status: 0, or 1 if there was an error or the plan must not be applied.
With -detailed-exitcode also 2, if something would be bought.`,
	"fragplan fmt": `Files are named from the project's folder; without any, all YAML files of the
project are laid out: two columns a level, one space between the parts of what
stands in braces, no spaces at the end of lines, at most one empty line in a row.
Comments, quotes and the order of everything stay. Prints the files that change.

Exit status: 0; with -check 3 if a file would be changed; 2 for a file that is
no YAML; 1 for other errors.`,
	"fragplan schema": `Editors that speak to yaml-language-server complete and check files that begin
with such a line, as those that fragplan init writes do:

  # yaml-language-server: $schema=fragplan.schema.json

The schema knows the form of each field. Whether names fit together, and whether
what is given is sold, says fragplan validate.`,
	"fragplan forecast": `Adds up, month by month, what a plan would buy now and what falls due by the
schedules that are written: at today's prices if there is a session, otherwise
at the ceilings. Fees of the network are not in it. Buys nothing.`,
	"fragplan apply": `Settles what an earlier run left open, shows the plan, asks, and buys. After
any interruption, run it again: what was paid is never paid twice.

Ctrl-C stops cleanly: nothing new is begun, and what is under way is watched to
its end. A second Ctrl-C stops at once.

With -unsigned nothing is signed, and no key is needed. What is to be paid is
written as a TON Connect request, with a QR code on a terminal, for a person who
pays with a wallet application. From then on it counts as given, whatever the
time, until the chain shows it: the next apply looks. Only a person ends it
unpaid, with fragplan ledger resolve KEY -as unpaid. One run makes one request;
what did not fit into it comes with the next.

With -plan-digest the plan is made anew and bought only if it has that digest.
With -within-budget, for a schedule, only what the budgets of campaigns allow is
bought. Neither asks. -target and -exclude name a key, a grant, thanks/* or a
label such as season=winter. What approvals: in fragplan.yaml asks for must be
signed first: fragplan approve.

Exit status: 0 if everything was bought or asked for, or waits only for Premium
that still runs; otherwise 1. With -detailed-exitcode also

  3  something was not bought, the rest was
  4  what became of a payment is not known yet
  5  a limit, a rule, a budget or missing approvals forbid it
  6  the plan that was approved no longer holds
  7  another run has the ledger`,
	"fragplan show": `Prints what plan prints, of a file and without its project, the network or
secrets; and the digest with which it is approved. Whether the plan still holds
is asked by approve and apply. Changes nothing.`,
	"fragplan approve": `Shows the plan, of a file or of now, asks, and signs its digest with ssh-keygen
and your SSH key. With -plan-digest, of a plan that was read before, it does not
ask; without a terminal that is needed. The signature becomes a file below
approvals/, to be committed. Who may sign, and how many must, stands under
approvals: in fragplan.yaml; the author of what is bought is never enough. Buys
nothing.`,
	"fragplan explain": `Where the key is written, through which group, person and table, what was given,
what each limit, budget and guard says of it, the newest records about it, the
next date, and the edit or the command that would change the outcome. A key of a
grant that recurs may leave out its date. Changes nothing.`,
	"fragplan report": `Adds up what the ledger says was paid, whatever became of it since. Days are
those of the chain's blocks, in UTC. Prints to stdout:

  fragplan report -from 2026-11-01 -to 2026-11-30
  fragplan report -format html >report.html`,
	"fragplan receipt": `Each purchase of the key with its price, its transaction, Fragment's mark in it
and how its delivery is known. Anybody can look the transaction up.`,
	"fragplan doctor": `Looks at the files, the ledger and who has it locked, the key, each session at
Fragment (logged in, our wallet, verified, when its cookies end), the TON
network with its proofs, this machine's clock, the wallet and its balance
against the most that the plan may cost, the ledger against the chain both ways,
and the text files of the git repository for seed words, session cookies and
private keys. A secret is named by its file and line, never shown.

It changes nothing and buys nothing. Programs that fragplan.yaml names for the
key are run as apply runs them.

Exit status: 0, or 1 if there is a problem. Warnings alone are 0.`,
	"fragplan fragment": `Each asks Fragment with the project's session and buys nothing; decode asks
nobody.`,
	"fragplan fragment whoami": `Shows what apply asks before it buys: who is logged in, whether the identity is
verified (KYC), whether the wallet that is connected is the project's, and when
the cookies end. It takes two pages of Fragment's.

Exit status: 0 if the session can buy, otherwise 1.`,
	"fragplan fragment price": `An item reads like 100 stars, premium 3 months or 25 TON; several are quoted
each. Without one, the usual items are asked for. -pay-with usdt asks for prices
in USDT, by which a top-up is not sold; Fragment shows them in dollars. The price
that counts is that of the order itself.`,
	"fragplan fragment recipient": `NAME is a user name, with or without @, or its t.me address. Each product is
asked for once, in its smallest quantity.`,
	"fragplan fragment decode": `PAYLOAD is a bag of cells: base64 in either alphabet, or hexadecimal digits. With
- it is read from stdin, also as bytes. Needs no project and no network.`,
	"fragplan ci comment": `Makes the comment, or renews the one from an earlier run; where nothing would be
bought it makes none. On GitHub the plan is on the step's page too.

GitHub: GITHUB_TOKEN with the permission pull-requests: write; of an App of your
own with -author too, or FRAGPLAN_COMMENT_AUTHOR, such as my-app[bot]. GitLab:
GITLAB_TOKEN with the scope api. With PLANFILE, a plan that plan -out has saved.`,
	"fragplan ledger init": `Makes the ledger of a new project. It refuses when the wallet has paid before,
because a new ledger would know nothing of it; -from-now with a -reason says
that none of that was bought by fragplan. In a ledger that exists it takes in
the wallet that fragplan.yaml names now, beside those that it knows.`,
	"fragplan ledger audit": `Reads each wallet's whole history from the block that the ledger began with,
as proven, and compares: every transfer that left must belong to an order, and
every paid order must have its transfer. Changes nothing.

Exit status: 0 if they agree, 2 if there are findings, 1 if it could not look.`,
	"fragplan ledger rebuild": `For a ledger that is lost, that is an old copy, or that is not the only one.
A lost one is made anew from the wallet's first transaction; an old one takes
in what it misses. Payments that it knows of are settled first.

A ledger that answered for several wallets is rebuilt once for each: name it in
fragplan.yaml first.

The chain shows what was bought, not for whom. With a session, Fragment's list
of purchases says whom a payment of more than an hour ago was for, where it
leaves no doubt. Everything written that any other such payment may have been
for is held, until fragplan ledger assign says whom it was for. Nothing is
bought.`,
	"fragplan ledger assign": `REF is the mark of a payment that fragplan ledger rebuild found in the chain.
With KEY it counts as given for that key. With -nobody it was for nothing that
is written here.

TRANSACTION brought money back that no order is held for; fragplan ledger audit
lists them. With KEY the order of that key is held, and fragplan ledger resolve
says what became of it. With -nobody it is no order's money.`,
	"fragplan ledger resolve": `For orders that are held, for instance because the money came back, for paid
ones that Fragment never acknowledged, and for those that a person was asked to
pay.

-as delivered: it was given. It counts, and is never bought again.
-as returned: the money came back. The next plan may buy it again.
-as unpaid: a person was asked to pay it (apply -unsigned), and nobody has or
will. The next plan may buy it again; if somebody pays all the same, apply stops.

Where several orders of the key wait, each may have had another fate: -order
names one by its number, as fragplan ledger show KEY prints it, and -all means
every one.`,
	"fragplan reissue": `For instance because the account was stolen. What was paid before stays on
record; the next plan shows the key as a line of its own, and an apply of that
plan's file, with its digest, or of somebody who says yes buys it once more.
Nothing is ever issued again by itself: -auto-approve and -within-budget don't.`,
	"fragplan payment cancel": `Signs a message without transfers for the same turn of the wallet, and sends
only that from now on. Whichever of the two the chain takes first decides, and
the other can never be executed. What the payment was for is not bought, until
the next apply plans it anew.`,
	"fragplan completion": `With it, the tabulator key completes commands, flags and the ledger's keys. The
help of each shell's command says how to load the script.`,
	"fragplan completion bash": `Needs the package bash-completion. Now, in this shell:

  source <(fragplan completion bash)

In every new shell:

  fragplan completion bash >/etc/bash_completion.d/fragplan`,
	"fragplan completion zsh": `Now, in this shell:

  source <(fragplan completion zsh)

In every new shell, once "autoload -U compinit; compinit" stands in ~/.zshrc:

  fragplan completion zsh >"${fpath[1]}/_fragplan"`,
	"fragplan completion fish": `Now, in this shell:

  fragplan completion fish | source

In every new shell:

  fragplan completion fish >~/.config/fish/completions/fragplan.fish`,
	"fragplan completion powershell": `Now, in this shell:

  fragplan completion powershell | Out-String | Invoke-Expression

In every new shell: put what it prints into the profile.`,
	"fragplan ledger backup": `Also while an apply is running. The copy is checked after it was written. A
file that exists is not overwritten.`,
}

// shorter replaces the one line of commands that the library brings.
var shorter = map[string]string{
	"fragplan completion":            "Print a script with which a shell completes commands",
	"fragplan completion bash":       "Print the script for bash",
	"fragplan completion fish":       "Print the script for fish",
	"fragplan completion powershell": "Print the script for PowerShell",
	"fragplan completion zsh":        "Print the script for zsh",
}

const environment = `
Environment; files are named from the shell's folder, whatever -chdir says:
  FRAGPLAN_SESSION_FILE          a file of mode 0600 with the cookies of a session
                                 at fragment.com: a header, JSON or cookies.txt
  FRAGPLAN_SESSION               the cookies themselves, instead of a file
  FRAGPLAN_MNEMONIC_FILE         a file of mode 0600 with the wallet's 24 words
  FRAGPLAN_MNEMONIC              the words themselves, instead of a file
  FRAGPLAN_AGE_IDENTITY          a file of mode 0600 with identities for age:FILE
  FRAGPLAN_AGE_PASSPHRASE        the passphrase for it, instead of identities
  FRAGPLAN_LEDGER_IDENTITY_FILE  a file of mode 0600 with what opens an encrypted
                                 ledger
  FRAGPLAN_LEDGER_IDENTITY       the identity itself, instead of a file
  FRAGPLAN_TON_CONFIG            the list of TON servers, instead of
                                 global.config.json
  FRAGPLAN_PROXY                 a proxy, as in http://proxy.example.org:3128
  FRAGPLAN_SANDBOX               1 rehearses as -sandbox does
  NO_COLOR                       anything prints without colours
`

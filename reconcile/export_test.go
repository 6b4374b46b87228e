package reconcile

// ConfirmLine is what a refusal prints to be pasted.
var ConfirmLine = confirmLine

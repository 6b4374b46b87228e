package reconcile

// ConfirmLine is what a refusal prints to be pasted.
var ConfirmLine = confirmLine

// ForgetQueries has an offer taken whose query id another order has, as older
// versions did.
func (s *State) ForgetQueries() { s.queries = map[query]bool{} }

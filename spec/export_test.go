package spec

// GrantFields are the fields that a grant may have, for the schema's test.
var GrantFields = grantFields

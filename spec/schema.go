package spec

import _ "embed"

// Schema is a JSON Schema (draft 2020-12) of the files of people and grants, for
// editors. It knows the form of each field; that names fit together and amounts
// are sold, only Load knows. It is made from the Go types in shape_test.go.
//
//go:embed schema.json
var Schema []byte

// ProjectSchema is the same of fragplan.yaml. It is made in
// project_shape_test.go.
//
//go:embed schema_project.json
var ProjectSchema []byte

// A provider that has a schema and does nothing: enough for `terraform validate`, and for `terraform test` with
// mocked providers. It serves the provider in the name of its file, terraform-provider-NAME, with the schema in
// NAME.json beside it (made by ../schema.py).
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

const filePrefix = "terraform-provider-"

// schemaFile is what schema.py writes.
type schemaFile struct {
	Provider        block
	Resources, Data map[string]block
}

type block struct {
	Attrs  map[string]attribute
	Blocks map[string]nested
}

type attribute struct {
	// A name, or ["list" | "map", the element's type].
	Type                         json.RawMessage
	Required, Optional, Computed bool
}

type nested struct {
	Single bool
	Min    int64
	Block  block
}

func typeOf(text json.RawMessage) tftypes.Type {
	var name string
	if json.Unmarshal(text, &name) == nil {
		switch name {
		case "string":
			return tftypes.String
		case "number":
			return tftypes.Number
		case "bool":
			return tftypes.Bool
		}
		return tftypes.DynamicPseudoType
	}
	var collection []json.RawMessage
	if json.Unmarshal(text, &collection) != nil || len(collection) != 2 {
		return tftypes.DynamicPseudoType
	}
	if string(collection[0]) == `"map"` {
		return tftypes.Map{ElementType: typeOf(collection[1])}
	}
	return tftypes.List{ElementType: typeOf(collection[1])}
}

func (b block) schema() *tfprotov6.SchemaBlock {
	out := &tfprotov6.SchemaBlock{}
	for name, a := range b.Attrs {
		out.Attributes = append(out.Attributes, &tfprotov6.SchemaAttribute{
			Name: name, Type: typeOf(a.Type), Required: a.Required, Optional: a.Optional,
			Computed: !a.Required && (a.Computed || a.Optional),
		})
	}
	for name, n := range b.Blocks {
		inner := &tfprotov6.SchemaNestedBlock{
			TypeName: name, Nesting: tfprotov6.SchemaNestedBlockNestingModeList, MinItems: n.Min, Block: n.Block.schema(),
		}
		if n.Single {
			inner.Nesting, inner.MinItems = tfprotov6.SchemaNestedBlockNestingModeSingle, 0
		}
		out.BlockTypes = append(out.BlockTypes, inner)
	}
	return out
}

// provider answers what `validate` and mocked tests ask; everything else is the interface's nil.
type provider struct {
	tfprotov6.ProviderServer
	schema *tfprotov6.GetProviderSchemaResponse
}

func (p provider) GetMetadata(context.Context, *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	return &tfprotov6.GetMetadataResponse{}, nil
}

func (p provider) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return p.schema, nil
}

func (p provider) GetResourceIdentitySchemas(context.Context, *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov6.GetResourceIdentitySchemasResponse{}, nil
}

func (p provider) ValidateProviderConfig(_ context.Context, request *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: request.Config}, nil
}

func (p provider) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (p provider) ValidateDataResourceConfig(context.Context, *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{}, nil
}

func (p provider) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}

func read(path string) (*tfprotov6.GetProviderSchemaResponse, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file schemaFile
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	schemas := func(blocks map[string]block) map[string]*tfprotov6.Schema {
		out := map[string]*tfprotov6.Schema{}
		for name, b := range blocks {
			out[name] = &tfprotov6.Schema{Block: b.schema()}
		}
		return out
	}
	return &tfprotov6.GetProviderSchemaResponse{
		Provider:          &tfprotov6.Schema{Block: file.Provider.schema()},
		ResourceSchemas:   schemas(file.Resources),
		DataSourceSchemas: schemas(file.Data),
	}, nil
}

func main() {
	folder, file := filepath.Split(os.Args[0])
	name := strings.TrimPrefix(file, filePrefix)
	schema, err := read(filepath.Join(folder, name+".json"))
	if err != nil {
		log.Fatal(err)
	}
	serve := func() tfprotov6.ProviderServer { return provider{schema: schema} }
	if err := tf6server.Serve("registry.terraform.io/hashicorp/"+name, serve); err != nil {
		log.Fatal(err)
	}
}

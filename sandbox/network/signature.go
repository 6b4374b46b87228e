package network

import (
	"crypto/ed25519"
	"fmt"
	"hash/crc32"

	"github.com/xssnick/tonutils-go/adnl/keys"
	"github.com/xssnick/tonutils-go/tl"
	liteton "github.com/xssnick/tonutils-go/ton"
)

// setHash is the short hash by which blocks name the set of validators.
func (v validator) setHash() uint32 {
	d := describe(v.public())
	b, err := tl.Serialize(liteton.ValidatorSetHashable{CCSeqno: catchain, Validators: []liteton.ValidatorItemHashable{{
		Key: d.PublicKey.Key, Weight: d.Weight, Addr: d.ADNLAddr,
	}}}, true)
	if err != nil {
		panic(fmt.Sprintf("network: a set of validators does not serialize: %v", err))
	}
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
}

// sign makes the signatures of a masterchain block.
func (v validator) sign(id *liteton.BlockIDExt) (liteton.SignatureSet, error) {
	text, err := tl.Serialize(liteton.BlockID{RootHash: id.RootHash, FileHash: id.FileHash}, true)
	if err != nil {
		return liteton.SignatureSet{}, err
	}
	node, err := tl.Hash(keys.PublicKeyED25519{Key: v.public()})
	if err != nil {
		return liteton.SignatureSet{}, err
	}
	return liteton.SignatureSet{
		ValidatorSetHash: int32(v.setHash()), CatchainSeqno: catchain,
		Signatures: []liteton.Signature{{NodeIDShort: node, Signature: ed25519.Sign(v.key, text)}},
	}, nil
}

// proveChain leads from one masterchain block to another: back to an earlier
// one through the list of blocks in the state, or by way of the key block,
// whose validator signed the later one.
func (n *Network) proveChain(from, to *block) (liteton.PartialBlockProof, error) {
	p := liteton.PartialBlockProof{Complete: true, From: from.id, To: to.id}
	var err error
	switch key := n.keyBlock(); {
	case from.seqno() == to.seqno():
		return p, nil
	case to.seqno() < from.seqno():
		p.Steps, err = back(p.Steps, from, to)
		return p, err
	case from != key:
		if p.Steps, err = back(p.Steps, from, key); err != nil {
			return p, err
		}
		from = key
	}
	dest, err := to.proveHeader()
	if err != nil {
		return p, err
	}
	params, err := from.proveParams(paramCatchain, paramValidators)
	if err != nil {
		return p, err
	}
	signatures, err := n.validator.sign(to.id)
	if err != nil {
		return p, err
	}
	p.Steps = append(p.Steps, liteton.BlockLinkForward{
		ToKeyBlock: to.key, From: from.id, To: to.id,
		DestProof: dest.ToBOC(), ConfigProof: params.ToBOC(), SignatureSet: signatures,
	})
	return p, nil
}

func back(steps []any, from, to *block) ([]any, error) {
	dest, err := to.proveHeader()
	if err != nil {
		return nil, err
	}
	header, err := from.proveHeader()
	if err != nil {
		return nil, err
	}
	state, err := from.proveState(parts{ancestors: []uint32{to.seqno()}})
	if err != nil {
		return nil, err
	}
	return append(steps, liteton.BlockLinkBackward{
		ToKeyBlock: to.key, From: from.id, To: to.id,
		DestProof: dest.ToBOC(), Proof: header.ToBOC(), StateProof: state.ToBOC(),
	}), nil
}

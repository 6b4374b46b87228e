package ton

import (
	"errors"
	"unicode/utf8"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// maxCommentCells bounds how deep a comment may be nested. Fragment's have at
// most two cells; 32 hold more text than a transfer is ever given.
const maxCommentCells = 32

// ErrNoComment is returned for a body that is no text comment.
var ErrNoComment = errors.New("the body is no text comment")

// Comment reads the text of a comment body: 32 zero bits, then UTF-8, which may
// go on in a chain of child cells and be split between them at any byte. A
// body of another kind, with broken UTF-8 or with anything beside the text is
// ErrNoComment.
func Comment(body *cell.Cell) (string, error) {
	s, err := body.BeginParse()
	if err != nil {
		return "", ErrNoComment
	}
	if op, err := s.LoadUInt(32); err != nil || op != 0 {
		return "", ErrNoComment
	}
	var text []byte
	for range maxCommentCells {
		if s.BitsLeft()%8 != 0 || s.RefsNum() > 1 {
			return "", ErrNoComment
		}
		part, err := s.LoadSlice(s.BitsLeft())
		if err != nil {
			return "", ErrNoComment
		}
		text = append(text, part...)
		if s.RefsNum() == 0 {
			if !utf8.Valid(text) {
				return "", ErrNoComment
			}
			return string(text), nil
		}
		if s, err = s.LoadRef(); err != nil {
			return "", ErrNoComment
		}
	}
	return "", ErrNoComment
}

// BouncedComment reads what a bounced message still holds of its comment: its
// first 28 bytes, or all of it in the newer form of bounces. The text may end
// in the middle of a letter.
func BouncedComment(body *cell.Cell) (string, error) {
	s, err := body.BeginParse()
	if err != nil {
		return "", ErrNoComment
	}
	op, err := s.LoadUInt(32)
	switch {
	case err == nil && op == 0xfffffffe && s.RefsNum() > 0:
		whole, err := s.LoadRefCell()
		if err != nil {
			return "", ErrNoComment
		}
		return Comment(whole)
	case err != nil || op != 0xffffffff:
		return "", ErrNoComment
	}
	if op, err := s.LoadUInt(32); err != nil || op != 0 {
		return "", ErrNoComment
	}
	text, err := s.LoadSlice(s.BitsLeft() / 8 * 8)
	if err != nil {
		return "", ErrNoComment
	}
	return string(text), nil
}

// Verify_log checks an exported ledger with the Go team's golang.org/x/mod/sumdb alone: no code of
// Callwarden's takes part. An auditor may build and run it as it stands; docs/formats/ledger.md
// explains each step.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run main.go DIR VKEY [PROOF [OLDER_CHECKPOINT]]
//
// It verifies the checkpoint's signature, every entry against the signed tree and, if given, one
// .tlog-proof file and that the log still begins as an older checkpoint says. It prints what it verified and exits 0, or says what is wrong and exits 1.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // a tile holds 2^8 = 256 hashes

// folder reads tiles as tlog wants them. Go writes a tile's path with its height, the published
// format leaves the height out because it is always 8.
type folder string

func (f folder) Height() int                                { return height }
func (f folder) SaveTiles(tiles []tlog.Tile, data [][]byte) {}
func (f folder) ReadTiles(tiles []tlog.Tile) (out [][]byte, err error) {
	for _, t := range tiles {
		path := strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

// entries gives the entries of bundle n in a log of the given size.
func (f folder) entries(n, size int64) ([][]byte, error) {
	width := size - n<<height
	if width > 1<<height {
		width = 1 << height
	}
	// Entry bundles have the same names as level-0 tiles, under "entries".
	name := tlog.Tile{H: height, L: 0, N: n, W: int(width)}.Path()
	path := strings.Replace(name, fmt.Sprintf("tile/%d/0/", height), "tile/entries/", 1)
	data, err := os.ReadFile(filepath.Join(string(f), path))
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for len(data) >= 2 {
		size := int(binary.BigEndian.Uint16(data))
		if len(data) < 2+size {
			break
		}
		out = append(out, data[2:2+size])
		data = data[2+size:]
	}
	if len(data) != 0 || int64(len(out)) != width {
		return nil, fmt.Errorf("%s does not hold %d whole entries", path, width)
	}
	return out, nil
}

// open checks the signature of a checkpoint and gives the tree it names.
func open(text []byte, vkey string) (tree tlog.Tree, err error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	signed, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tree, fmt.Errorf("the checkpoint's origin is not %s", verifier.Name())
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

func verifyLog(dir, vkey string) error {
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := open(text, vkey)
	if err != nil {
		return err
	}
	// TileHashReader authenticates every tile it reads against the signed root.
	reader := tlog.TileHashReader(tree, folder(dir))
	for n := int64(0); n<<height < tree.N; n++ {
		entries, err := folder(dir).entries(n, tree.N)
		if err != nil {
			return err
		}
		indexes := make([]int64, len(entries))
		for i := range entries {
			indexes[i] = tlog.StoredHashIndex(0, n<<height+int64(i))
		}
		hashes, err := reader.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for i, entry := range entries {
			if tlog.RecordHash(entry) != hashes[i] {
				return fmt.Errorf("entry %d is not what the ledger signed", n<<height+int64(i))
			}
		}
	}
	fmt.Printf("verified %d entries, root %s\n", tree.N, tree.Hash)
	return nil
}

func verifyProof(path, vkey string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, checkpoint, _ := strings.Cut(string(data), "\n\n")
	lines := strings.Split(head, "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" ||
		!strings.HasPrefix(lines[1], "extra ") || !strings.HasPrefix(lines[2], "index ") {
		return fmt.Errorf("%s is not a proof with its entry", path)
	}
	entry, err := base64.StdEncoding.DecodeString(lines[1][len("extra "):])
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(lines[2][len("index "):], 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, h)
	}
	tree, err := open([]byte(checkpoint), vkey)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		return err
	}
	fmt.Printf("verified entry %d: %s\n", index, entry)
	return nil
}

func verifyGrowth(path, dir, vkey string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	older, err := open(text, vkey)
	if err != nil {
		return err
	}
	if text, err = os.ReadFile(filepath.Join(dir, "checkpoint")); err != nil {
		return err
	}
	tree, err := open(text, vkey)
	if err != nil {
		return err
	}
	if older.N > tree.N {
		return fmt.Errorf("the log has %d entries and had %d: it was cut", tree.N, older.N)
	}
	proof, err := tlog.ProveTree(tree.N, older.N, tlog.TileHashReader(tree, folder(dir)))
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, older.N, older.Hash); err != nil {
		return err
	}
	fmt.Printf("verified growth from %d to %d entries\n", older.N, tree.N)
	return nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: verify_log DIR VKEY [PROOF [OLDER_CHECKPOINT]]")
		os.Exit(2)
	}
	err := verifyLog(os.Args[1], os.Args[2])
	if err == nil && len(os.Args) > 3 {
		err = verifyProof(os.Args[3], os.Args[2])
	}
	if err == nil && len(os.Args) > 4 {
		err = verifyGrowth(os.Args[4], os.Args[1], os.Args[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

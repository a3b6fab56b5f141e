package engine

import (
	"bytes"
	"context"
	"log"
	"os"
	"strings"

	"github.com/Velocidex/ordereddict"
	"www.velocidex.com/golang/vfilter"

	"www.velocidex.com/golang/velociraptor/json"
	"www.velocidex.com/golang/velociraptor/services"
	"www.velocidex.com/golang/velociraptor/vql/acl_managers"
)

// scopeOf is a scope in which queries have a user's rights.
func (s *EngineSuite) scopeOf(user string, env *ordereddict.Dict, logs *bytes.Buffer) vfilter.Scope {
	manager, err := services.GetRepositoryManager(s.ConfigObj)
	s.Require().NoError(err)
	return manager.BuildScope(services.ScopeBuilder{
		Config:     s.ConfigObj,
		ACLManager: acl_managers.NewServerACLManager(s.ConfigObj, user),
		Logger:     log.New(logs, "", 0),
		Env:        env,
	})
}

// queryAs runs a query with a user's rights and returns its rows as JSON lines, and its log.
func (s *EngineSuite) queryAs(user, vql string) (rows, logged string) {
	s.T().Helper()
	var logs, out bytes.Buffer
	scope := s.scopeOf(user, nil, &logs)
	statements, err := vfilter.MultiParse(vql)
	s.Require().NoError(err)
	for _, statement := range statements {
		for row := range statement.Eval(s.Ctx, scope) {
			line, err := json.Marshal(vfilter.RowToDict(s.Ctx, scope, row))
			s.Require().NoError(err)
			out.Write(append(line, '\n'))
		}
	}
	scope.Close()
	return out.String(), logs.String()
}

// startQuery runs a query with an administrator's rights in the background and returns what stops it.
func (s *EngineSuite) startQuery(vql string, env *ordereddict.Dict, ended chan bool) (stop func()) {
	statements, err := vfilter.MultiParse(vql)
	s.Require().NoError(err)
	ctx, cancel := context.WithCancel(s.Ctx)
	var logs bytes.Buffer
	scope := s.scopeOf("admin", env, &logs)
	go func() {
		defer close(ended)
		defer scope.Close()
		for _, statement := range statements {
			for range statement.Eval(ctx, scope) {
			}
		}
	}()
	return cancel
}

// sourceOf returns the rows of one source of the last server artifact collected, as JSON lines.
func (s *EngineSuite) sourceOf(got collection, artifact, source string) string {
	return s.query(`SELECT * FROM source(client_id="server", flow_id=Flow, artifact=Name)`,
		ordereddict.NewDict().Set("Flow", got.flow).Set("Name", artifact+"/"+source))
}

func (s *EngineSuite) read(path string) string {
	text, err := os.ReadFile(path)
	s.Require().NoError(err)
	return string(text)
}

// cellOf returns the VQL cell of a document that has this text.
func (s *EngineSuite) cellOf(path, marker string) string {
	for _, part := range strings.Split(s.read(path), "```vql\n")[1:] {
		if cell, _, _ := strings.Cut(part, "```"); strings.Contains(cell, marker) {
			return cell
		}
	}
	s.FailNow("no cell in "+path+" with", marker)
	return ""
}

package engine

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"path/filepath"

	"www.velocidex.com/golang/velociraptor/file_store"
	"www.velocidex.com/golang/velociraptor/file_store/api"
	"www.velocidex.com/golang/velociraptor/file_store/path_specs"
	"www.velocidex.com/golang/velociraptor/services"
)

// serverFolder is the private folder of the server's artifacts.
func (s *EngineSuite) serverFolder() string {
	return filepath.Join(s.ConfigObj.Datastore.Location, "threatfox")
}

// servePublic serves the inventory's files over HTTP, as a frontend does,
// and has the server tell its clients so.
func (s *EngineSuite) servePublic() {
	// The files of child organizations lie in the root's store too.
	orgs, err := services.GetOrgManager()
	s.Require().NoError(err)
	root, err := orgs.GetOrgConfig(services.ROOT_ORG_ID)
	s.Require().NoError(err)
	server := httptest.NewServer(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			file, err := file_store.GetFileStore(root).ReadFile(
				path_specs.NewUnsafeFilestorePath("public", path.Base(r.URL.Path)).
					SetType(api.PATH_TYPE_FILESTORE_ANY))
			if err != nil {
				http.NotFound(w, r)
				return
			}
			defer file.Close()
			_, _ = io.Copy(w, file)
		}))
	s.T().Cleanup(server.Close)
	s.ConfigObj.Client.ServerUrls = []string{server.URL + "/"}
}

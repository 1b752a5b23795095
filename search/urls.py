"""Addresses of searching: none holds a word of a question that may be about classified work (see `views.asking`)."""

from django.urls import path

from search.views import exporting, keeping, results, typing

app_name = "search"
urlpatterns = [
    path("", results.search, name="search"),
    path("asked/<str:token>/", results.asked_before, name="asked"),
    path("hints/", typing.hints, name="hints"),
    path("meant/", results.meant, name="meant"),
    path("build/", typing.build, name="build"),
    path("open/<str:key>/", results.open_hit, name="open"),
    *keeping.urlpatterns,
    *exporting.urlpatterns,
]

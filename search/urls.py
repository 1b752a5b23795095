"""Addresses of searching: none holds a word of a question that may be about classified work (see `views.asking`)."""

from django.urls import path

from search.views import keeping, results, typing

app_name = "search"
urlpatterns = [
    path("", results.search, name="search"),
    path("asked/<str:token>/", results.asked_before, name="asked"),
    path("hints/", typing.hints, name="hints"),
    path("build/", typing.build, name="build"),
    path("open/<str:key>/", results.open_hit, name="open"),
    path("saved/", keeping.saved, name="saved"),
    path("saved/keep/", keeping.save, name="save"),
    path("saved/<int:pk>/forget/", keeping.forget, name="forget"),
]

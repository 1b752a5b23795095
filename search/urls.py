"""Addresses of searching."""

from django.urls import path

from search import views

app_name = "search"
urlpatterns = [
    path("", views.search, name="search"),
    path("open/<str:key>/", views.open_hit, name="open"),
    path("saved/", views.saved, name="saved"),
    path("saved/keep/", views.save, name="save"),
    path("saved/<int:pk>/forget/", views.forget, name="forget"),
]
